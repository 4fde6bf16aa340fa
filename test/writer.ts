// A process that writes until it is killed: says each row's number once its batch is acknowledged. Run by tests.
import { openLocalDatabase } from '../src/adapters/database-libsql'

const [path = '', count = '0'] = process.argv.slice(2)
const db = await openLocalDatabase({ path })
process.stdout.write('open\n')
for (let i = 0; i < Number(count); i++) {
  await db.batch([{ sql: 'insert into leases (name, holder, until) values (?, ?, ?)', args: [`row-${i}`, '', i] }])
  process.stdout.write(`${i}\n`)
}
await new Promise(() => setInterval(() => {}, 1000))
