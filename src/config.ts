// env → { config, secrets }, read once: unions instead of flags, and everything that is wrong said in one message.
import { brokenRules } from './config/rules'
import { type Read, type SettingName, settingNames, settings } from './config/settings'
import type { MasterKeys } from './keyring/master-keys'
import { nearest } from './lib/nearest'
import type { S3Place } from './lib/s3-place'
import type { SigningKeys } from './lib/sigv4'

export type Env = Record<string, string | undefined>

/** The policy in force; may be printed. Paths are as given, sizes in bytes. */
export type Config = {
  env: 'development' | 'test' | 'production'
  listen: { host: string; port: number }
  /** The public origin, without a trailing slash. */
  origin: string
  /** Whether the public origin is https. */
  https: boolean
  /** Every host it answers under, as in a `Host` header. */
  hosts: ReadonlySet<string>
  /** Origins whose pages may call with credentials; the public one among them. */
  allowedOrigins: ReadonlySet<string>
  /** Paths and URLs that sign-in may lead to; null means any path of the origin. */
  redirects: readonly string[] | null
  dataDir: string
  database:
    | { kind: 'local'; path: string }
    | { kind: 'replica'; path: string; url: string }
    | { kind: 'remote'; url: string }
  /** How much longer than usual a node with a copy serves from it while the primary is away. */
  staleReadsMs: number
  blobs: { kind: 'disk'; path: string } | { kind: 's3'; place: S3Place }
  /** The X25519 public key (base64) that backups are encrypted to; null: they are not. */
  backupRecipient: string | null
  /** Where backups are made by themselves, how old the newest becomes, and how many are kept; null: nowhere. */
  backups: { to: string; everyMs: number; keep: number } | null
  /** Referenced: a backup names the media and leaves it where it is. */
  backupMedia: 'included' | 'referenced'
  mail:
    | { kind: 'inbox' }
    | { kind: 'smtp'; host: string; port: number; tls: 'implicit' | 'starttls' | 'off'; from: string }
  /** What an unknown device shows before mail is sent for it. */
  human: { kind: 'altcha' | 'off' } | { kind: 'turnstile'; siteKey: string }
  /** Off: neither rates nor mails nor streams at once are counted; quotas hold. */
  rateLimits: 'default' | 'off' | { file: string }
  /** Addresses of those who run the instance. */
  operators: readonly string[]
  signUp: { kind: 'open' | 'invite' | 'closed' } | { kind: 'domains'; domains: readonly string[] }
  keyPrefix: string
  /** Addresses and networks (CIDR) whose X-Forwarded-* headers count. */
  trustedProxies: readonly string[]
  mediaMaxBytes: number
  /** Whether media is sealed from now on. */
  mediaEncryption: 'on' | 'off'
  /** The least time that asking for a code takes. */
  startFloorMs: number
  /** What the codes in mails are made of. */
  codeFormat: 'letters' | 'digits'
  /** How long an unused session lives, and any session at most. */
  sessions: { idleMs: number; absoluteMs: number }
}

/** What must never be printed. */
export type Secrets = {
  /** The first is current. `file`: where development keeps the one it generates. */
  masterKeys: { kind: 'given'; keys: MasterKeys } | { kind: 'file'; path: string }
  /** Empty where the primary asks for none. */
  primaryToken: string
  /** For what only reads. */
  replicaToken: string
  /** Where nodes share their rate limits, password included. */
  redisUrl: string | null
  smtp: { user: string; password: string } | null
  /** Signs mail (RFC 6376): PEM of an RSA key, and the name under which the sender's domain shows its public half. */
  dkim: { selector: string; privateKey: string } | null
  turnstile: string | null
  /** Of the bucket that LATCHKEY_BLOBS names. */
  s3: SigningKeys | null
  /** The private key (base64) that opens backups; only where they are restored. */
  backupIdentity: string | null
  /** For the bucket of the backups. */
  backupS3: SigningKeys | null
}

/** Raised for settings that do not stand; its message names each, and repeats no value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  constructor(problems: readonly Problem[]) {
    super(`Latchkey does not start:\n${problems.map(({ name, says }) => `  - ${name} ${says}`).join('\n')}`)
  }
}

export type Problem = { name: string; says: string }

/** What Kubernetes puts into every container for a Service of that name, e.g. LATCHKEY_PORT=tcp://10.0.0.1:80. */
const isInjected = (name: string, value: string) =>
  /_SERVICE_(HOST|PORT)(_|$)/.test(name) ||
  /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
  (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))

const isKnown = (name: string): name is SettingName => Object.hasOwn(settings, name)

const readSettings = (env: Env, problems: Problem[]): Read => {
  const read: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('LATCHKEY_') || value === undefined || isInjected(name, value)) continue
    if (!isKnown(name)) problems.push({ name, says: `is not a setting; did you mean ${nearest(name, settingNames)}?` })
    else if (value !== '') {
      const result = settings[name].schema.safeParse(value)
      if (result.success) read[name] = result.data
      else problems.push({ name, says: `is not ${result.error.issues[0]?.message}; it means: ${settings[name].means}` })
    }
  }
  return read as Read
}

const dayMs = 86_400_000

const readDkim = (text: string | undefined): Secrets['dkim'] => {
  const [, selector, key] = /^([^:]+):(.+)$/.exec(text ?? '') ?? []
  if (selector === undefined || key === undefined) return null
  const lines = key.match(/.{1,64}/g)!.join('\n')
  return { selector, privateKey: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n` }
}

const readMail = (read: Read): Pick<Config, 'mail'> & Pick<Secrets, 'smtp' | 'dkim'> => {
  const dkim = readDkim(read.LATCHKEY_DKIM)
  if (read.LATCHKEY_SMTP_URL === undefined) return { mail: { kind: 'inbox' }, smtp: null, dkim }
  const url = new URL(read.LATCHKEY_SMTP_URL)
  const implicit = url.protocol === 'smtps:'
  const tls = implicit ? 'implicit' : url.search === '?tls=off' ? 'off' : 'starttls'
  const port = Number(url.port) || (implicit ? 465 : 587)
  return {
    mail: { kind: 'smtp', host: url.hostname, port, tls, from: read.LATCHKEY_MAIL_FROM ?? '' },
    smtp:
      url.username === ''
        ? null
        : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    dkim,
  }
}

const readPlaces = (read: Read): Pick<Config, 'dataDir' | 'database' | 'blobs'> & Pick<Secrets, 'masterKeys'> => {
  const dataDir = (read.LATCHKEY_DATA_DIR ?? './data').replace(/(?<=.)\/+$/, '')
  const [url, path] = [read.LATCHKEY_PRIMARY_URL, read.LATCHKEY_DATABASE]
  const keys = read.LATCHKEY_MASTER_KEYS
  return {
    dataDir,
    database:
      url === undefined
        ? { kind: 'local', path: path ?? `${dataDir}/latchkey.db` }
        : path === undefined
          ? { kind: 'remote', url }
          : { kind: 'replica', path, url },
    blobs: read.LATCHKEY_BLOBS ?? { kind: 'disk', path: `${dataDir}/media` },
    masterKeys: keys === undefined ? { kind: 'file', path: `${dataDir}/master.key` } : { kind: 'given', keys },
  }
}

const readNet = (env: Config['env'], read: Read) => {
  const port = read.LATCHKEY_PORT ?? 3000
  const origin = new URL(read.LATCHKEY_ORIGIN ?? `http://localhost:${port}`).origin
  const local =
    env === 'production' ? [] : ['localhost', '127.0.0.1', '[::1]'].map((h) => new URL(`http://${h}:${port}`))
  return {
    listen: { host: read.LATCHKEY_HOST ?? (env === 'production' ? '0.0.0.0' : '127.0.0.1'), port },
    origin,
    https: origin.startsWith('https:'),
    hosts: new Set([new URL(origin).host, ...(read.LATCHKEY_HOSTS ?? []), ...local.map((u) => u.host)]),
    allowedOrigins: new Set([
      origin,
      ...(read.LATCHKEY_ALLOWED_ORIGINS ?? []).map((o) => new URL(o).origin),
      ...local.map((u) => u.origin),
    ]),
  }
}

const readHuman = (env: Config['env'], read: Read): Config['human'] => {
  const kind = read.LATCHKEY_HUMAN ?? (env === 'production' ? 'altcha' : 'off')
  return kind === 'turnstile' ? { kind, siteKey: read.LATCHKEY_TURNSTILE_SITE_KEY ?? '' } : { kind }
}

const readBackups = (read: Read): Config['backups'] => {
  const { LATCHKEY_BACKUP_TO: to, LATCHKEY_BACKUP_EVERY_HOURS: hours = 24, LATCHKEY_BACKUP_KEEP: keep = 7 } = read
  return to === undefined ? null : { to, everyMs: hours * 3_600_000, keep }
}

const readKeys = (access?: string, secret?: string): SigningKeys | null =>
  access === undefined || secret === undefined ? null : { access, secret }

const defaultEnv = { source: 'development', binary: 'production' } as const

/**
 * Reads the settings; pure. `source`: whether it runs from source or as the built binary, which decides the default
 * of LATCHKEY_ENV. @throws ConfigError naming everything that is wrong.
 */
export const readConfig = (
  env: Env,
  { source }: { source: 'source' | 'binary' },
): { config: Config; secrets: Secrets } => {
  const problems: Problem[] = []
  const read = readSettings(env, problems)
  const mode = read.LATCHKEY_ENV ?? defaultEnv[source]
  const { masterKeys, ...places } = readPlaces(read)
  const { mail, smtp, dkim } = readMail(read)
  const config: Config = {
    env: mode,
    ...readNet(mode, read),
    ...places,
    backupRecipient: read.LATCHKEY_BACKUP_RECIPIENT ?? null,
    backups: readBackups(read),
    backupMedia: read.LATCHKEY_BACKUP_MEDIA ?? 'included',
    mail,
    human: readHuman(mode, read),
    rateLimits: read.LATCHKEY_RATE_LIMITS ?? 'default',
    operators: read.LATCHKEY_OPERATORS ?? [],
    redirects: read.LATCHKEY_REDIRECTS ?? null,
    staleReadsMs: (read.LATCHKEY_STALE_READS_SECONDS ?? 0) * 1000,
    signUp: read.LATCHKEY_SIGN_UP ?? { kind: 'open' },
    keyPrefix: read.LATCHKEY_KEY_PREFIX ?? 'ml',
    trustedProxies: read.LATCHKEY_TRUSTED_PROXIES ?? [],
    mediaMaxBytes: read.LATCHKEY_MEDIA_MAX_BYTES ?? 5 * 1024 ** 3,
    mediaEncryption: read.LATCHKEY_MEDIA_ENCRYPTION ?? 'off',
    startFloorMs: read.LATCHKEY_START_FLOOR_MS ?? 250,
    codeFormat: read.LATCHKEY_CODE_FORMAT ?? 'letters',
    sessions: {
      idleMs: (read.LATCHKEY_SESSION_IDLE_DAYS ?? 7) * dayMs,
      absoluteMs: (read.LATCHKEY_SESSION_DAYS ?? 30) * dayMs,
    },
  }
  const secrets: Secrets = {
    ...{ masterKeys, smtp, dkim, primaryToken: read.LATCHKEY_PRIMARY_TOKEN ?? '' },
    replicaToken: read.LATCHKEY_REPLICA_TOKEN ?? read.LATCHKEY_PRIMARY_TOKEN ?? '',
    turnstile: read.LATCHKEY_TURNSTILE_SECRET ?? null,
    redisUrl: read.LATCHKEY_REDIS_URL ?? null,
    backupIdentity: read.LATCHKEY_BACKUP_IDENTITY ?? null,
    s3: readKeys(read.LATCHKEY_S3_ACCESS_KEY, read.LATCHKEY_S3_SECRET_KEY),
    backupS3:
      readKeys(read.LATCHKEY_BACKUP_S3_ACCESS_KEY, read.LATCHKEY_BACKUP_S3_SECRET_KEY) ??
      readKeys(read.LATCHKEY_S3_ACCESS_KEY, read.LATCHKEY_S3_SECRET_KEY),
  }
  // A setting that could not be read is absent here: what follows from its absence would only mislead.
  const unread = new Set(problems.map((p) => p.name))
  problems.push(...brokenRules(config, secrets, read).filter((p) => !unread.has(p.name)))
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, secrets }
}

/** The effective policy as text, one `name: value` a line, without a secret. */
export const describeConfig = (config: Config): string =>
  Object.entries(config)
    .map(([name, value]) => `${name}: ${JSON.stringify(value instanceof Set ? [...value] : value)}`)
    .join('\n')
