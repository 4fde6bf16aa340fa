// The parts that the settings name, opened.
import { createDiskBlobs } from '../adapters/blobs-disk'
import { systemClock } from '../adapters/clock'
import { openHttpDatabase } from '../adapters/database-http'
import { openLocalDatabase } from '../adapters/database-libsql'
import { createAltcha } from '../adapters/human-altcha'
import { createTurnstile } from '../adapters/human-turnstile'
import { createInbox } from '../adapters/mail-inbox'
import { createSmtpMailer } from '../adapters/mail-smtp'
import { readMasterKeyFile } from '../adapters/master-key-file'
import { createTokens } from '../adapters/tokens-jwt'
import type { Ports } from '../app'
import type { Config, Secrets } from '../config'
import type { Inbox } from '../features/inbox/routes'
import { type Keyring, openKeyring } from '../keyring'
import type { Database, Fetch, HumanCheck, Log, Mailer } from '../ports'

export type Opened = { ports: Ports; inbox: Inbox | null; close(): Promise<void> }

export const openDatabase = ({ database }: Config, { primaryToken }: Secrets): Promise<Database> =>
  database.kind === 'local'
    ? openLocalDatabase({ path: database.path })
    : openHttpDatabase({ url: database.url, token: primaryToken ?? '' })

const openMail = ({ mail }: Config, { smtp, dkim }: Secrets): { mailer: Mailer; inbox: Inbox | null } => {
  if (mail.kind === 'smtp') return { mailer: createSmtpMailer({ ...mail, auth: smtp, dkim }), inbox: null }
  const inbox = createInbox({ clock: systemClock })
  return { mailer: inbox.mailer, inbox }
}

/** What asks unknown devices for a sign that a person is there; null where the settings say that nothing does. */
export const openHuman = (
  config: Config,
  { turnstile }: Secrets,
  keyring: Keyring,
  fetch: Fetch,
): HumanCheck | null => {
  const { human } = config
  if (human.kind !== 'turnstile') return human.kind === 'off' ? null : createAltcha({ keyring })
  const hostnames = new Set([...config.allowedOrigins].map((origin) => new URL(origin).hostname))
  return createTurnstile({ keyring, fetch, siteKey: human.siteKey, secret: turnstile ?? '', hostnames })
}

/** @throws Error, as a sentence for the operator, when something does not open. */
export const openPorts = async (config: Config, secrets: Secrets, log: Log): Promise<Opened> => {
  const { masterKeys } = secrets
  const clock = systemClock
  const db = await openDatabase(config, secrets)
  try {
    const master = masterKeys.kind === 'given' ? masterKeys.keys : readMasterKeyFile(masterKeys.path)
    const keyring = await openKeyring({ db, master, clock })
    const human = openHuman(config, secrets, keyring, fetch)
    if (human === null && config.env === 'production')
      log.warn(
        { setting: 'LATCHKEY_HUMAN' },
        'NOBODY IS ASKED TO SHOW THAT THEY ARE A PERSON: programs can have mail sent',
      )
    const blobs = createDiskBlobs({ folder: config.blobs.path })
    const { mailer, inbox } = openMail(config, secrets)
    const close = async () => {
      await mailer.close()
      await db.close()
    }
    return { ports: { db, blobs, mailer, tokens: createTokens({ keyring }), keyring, clock, log, human }, inbox, close }
  } catch (error) {
    await db.close()
    throw error
  }
}
