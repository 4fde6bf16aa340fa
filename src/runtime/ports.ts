// The parts that the settings name, opened.
import { readFile } from 'node:fs/promises'
import { createDiskBlobs } from '../adapters/blobs-disk'
import { createS3Blobs } from '../adapters/blobs-s3'
import { systemClock } from '../adapters/clock'
import { openHttpDatabase } from '../adapters/database-http'
import { openLocalDatabase } from '../adapters/database-libsql'
import { openReplicaDatabase } from '../adapters/database-replica'
import { createAltcha } from '../adapters/human-altcha'
import { createTurnstile } from '../adapters/human-turnstile'
import { createInbox } from '../adapters/mail-inbox'
import { createSmtpMailer } from '../adapters/mail-smtp'
import { readMasterKeys } from '../adapters/master-key-file'
import { pour } from '../adapters/pour'
import { createS3 } from '../adapters/s3'
import { createTokens } from '../adapters/tokens-jwt'
import type { Config, Secrets } from '../config'
import type { Inbox } from '../features/inbox/routes'
import { type Keyring, openKeyring } from '../keyring'
import { parsePlans } from '../limits'
import type { Blobs, Clock, Database, Fetch, HumanCheck, Log, Mailer } from '../ports'
import type { Ports } from '../services'

export type Opened = { ports: Ports; inbox: Inbox | null; close(): Promise<void> }

/** For what only a new start mends. What it holds in memory may be of another history, and is not written: it ends at once. */
const createHalt = (log: Log) => (why: string) => {
  log.error({ why }, 'ended: it cannot go on as it is, and is to be started again')
  log.flush()
  process.exit(1)
}

/** `halt`: ends the process, where only a new start can go on. */
export const openDatabase = (
  { database }: Config,
  { primaryToken: token, replicaToken }: Secrets,
  halt: (why: string) => void = () => {},
): Promise<Database> => {
  if (database.kind === 'local') return openLocalDatabase({ path: database.path, halt })
  return database.kind === 'remote'
    ? openHttpDatabase({ url: database.url, token })
    : openReplicaDatabase({ ...database, token, replicaToken })
}

const openBlobs = ({ blobs }: Config, { s3: keys }: Secrets, log: Log): Blobs => {
  if (blobs.kind === 'disk') return createDiskBlobs({ folder: blobs.path })
  // The rules of the settings ask for its keys.
  const s3 = createS3({ place: blobs.place, keys: keys!, fetch, clock: systemClock, log })
  return createS3Blobs({ s3, pour })
}

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

/** The plans of the file that is named, if one is. @throws Error, as a sentence for the operator, when it does not fit. */
const readPlans = async ({ rateLimits }: Config): Promise<Pick<Ports, 'plans'>> => {
  if (typeof rateLimits === 'string') return {}
  const text = await readFile(rateLimits.file, 'utf8').catch(() => {
    throw new Error('The plan file of LATCHKEY_RATE_LIMITS cannot be read.')
  })
  return { plans: parsePlans(text) }
}

/** What nodes share by a Redis. Its client is loaded only where the settings name one: a tenth of the start. */
const openRedis = async ({ redisUrl: url }: Secrets, { sharing }: Database, log: Log, clock: Clock) => {
  if (url === null) return { shared: null, word: null }
  const { openRedisLimiter } = await import('../adapters/limiter-redis')
  const { openRedisHint } = await import('../adapters/hint-redis')
  const shared = await openRedisLimiter({ url, clock, log })
  return { shared, word: sharing.kind === 'alone' ? null : openRedisHint({ url, log }) }
}

/** @throws Error, as a sentence for the operator, when something does not open. */
export const openPorts = async (config: Config, secrets: Secrets, log: Log, clock = systemClock): Promise<Opened> => {
  const plans = await readPlans(config)
  const halt = createHalt(log)
  const db = await openDatabase(config, secrets, halt)
  try {
    const keyring = await openKeyring({ db, master: readMasterKeys(secrets.masterKeys), clock })
    const human = openHuman(config, secrets, keyring, fetch)
    if (human === null && config.env === 'production')
      log.warn(
        { setting: 'LATCHKEY_HUMAN' },
        'NOBODY IS ASKED TO SHOW THAT THEY ARE A PERSON: programs can have mail sent',
      )
    const blobs = openBlobs(config, secrets, log)
    const { mailer, inbox } = openMail(config, secrets)
    const { shared, word } = await openRedis(secrets, db, log, clock)
    const close = async () => {
      const closed = await Promise.allSettled([mailer, shared, word, db].map((port) => port?.close()))
      for (const result of closed) if (result.status === 'rejected') throw result.reason
    }
    const kept = { db, blobs, pour, mailer, tokens: createTokens({ keyring }), keyring }
    const ports = {
      ...kept,
      clock,
      log,
      halt,
      human,
      ...plans,
      ...(shared && { limiter: shared.limiter }),
      ...(word && { hint: word.hint }),
    }
    return { ports, inbox, close }
  } catch (error) {
    await db.close()
    throw error
  }
}
