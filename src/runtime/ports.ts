// The parts that the settings name, opened.
import { createDiskBlobs } from '../adapters/blobs-disk'
import { systemClock } from '../adapters/clock'
import { openHttpDatabase } from '../adapters/database-http'
import { openLocalDatabase } from '../adapters/database-libsql'
import { createInbox } from '../adapters/mail-inbox'
import { createSmtpMailer } from '../adapters/mail-smtp'
import { readMasterKeyFile } from '../adapters/master-key-file'
import { createTokens } from '../adapters/tokens-jwt'
import type { Ports } from '../app'
import type { Config, Secrets } from '../config'
import type { Inbox } from '../features/inbox/routes'
import { openKeyring } from '../keyring'
import type { Database, Log, Mailer } from '../ports'

export type Opened = { ports: Ports; inbox: Inbox | null; close(): Promise<void> }

export const openDatabase = ({ database }: Config, { primaryToken }: Secrets): Promise<Database> =>
  database.kind === 'local'
    ? openLocalDatabase({ path: database.path })
    : openHttpDatabase({ url: database.url, token: primaryToken ?? '' })

const openMail = ({ mail }: Config, { smtp }: Secrets): { mailer: Mailer; inbox: Inbox | null } => {
  if (mail.kind === 'smtp') return { mailer: createSmtpMailer({ ...mail, auth: smtp }), inbox: null }
  const inbox = createInbox({ clock: systemClock })
  return { mailer: inbox.mailer, inbox }
}

/** @throws Error, as a sentence for the operator, when something does not open. */
export const openPorts = async (config: Config, secrets: Secrets, log: Log): Promise<Opened> => {
  const { masterKeys } = secrets
  const clock = systemClock
  const db = await openDatabase(config, secrets)
  try {
    const master = masterKeys.kind === 'given' ? masterKeys.keys : readMasterKeyFile(masterKeys.path)
    const keyring = await openKeyring({ db, master, clock })
    const blobs = createDiskBlobs({ folder: config.blobs.path })
    const { mailer, inbox } = openMail(config, secrets)
    const close = async () => {
      await mailer.close()
      await db.close()
    }
    return { ports: { db, blobs, mailer, tokens: createTokens({ keyring }), keyring, clock, log }, inbox, close }
  } catch (error) {
    await db.close()
    throw error
  }
}
