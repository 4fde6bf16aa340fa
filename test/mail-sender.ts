// A process that sends what is due until it is killed. Run by tests: database, SMTP settings, how far its clock is ahead (ms).
import { systemClock } from '../src/adapters/clock'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { createSmtpMailer } from '../src/adapters/mail-smtp'
import { mailService } from '../src/features/mail/service'
import { createUnaudited } from '../src/write'
import { newTestLog } from './support'

const [path = '', settings = '', ahead = '0'] = process.argv.slice(2)
const db = await openLocalDatabase({ path })
const clock = { ...systemClock, now: () => systemClock.now() + Number(ahead) }
const mail = mailService({
  ...{ db, unaudited: createUnaudited(db), clock, log: newTestLog().log, origin: 'https://app.example.com' },
  mailer: createSmtpMailer(JSON.parse(settings)),
  render: async ({ about }) => ({ to: `${about}@example.org`, code: 'ABCDEFGH', link: `link#${about}.s3cret` }),
})
await mail.deliverDue()
process.stdout.write('done\n')
await new Promise(() => setInterval(() => {}, 1000))
