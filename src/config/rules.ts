// What settings must not say together: production asks for what keeps it safe, development stays on this machine.
import type { Config, Problem, Secrets } from '../config'
import type { Read, SettingName } from './settings'
import { isBackupInTheClear, isLoopback, isPlainHttpElsewhere } from './shapes'

type Rule = [broken: boolean, name: SettingName, says: string]

const productionRules = (config: Config, secrets: Secrets, read: Read): Rule[] => [
  [read.LATCHKEY_ORIGIN === undefined || !config.https, 'LATCHKEY_ORIGIN', 'must be the public https:// origin'],
  [
    secrets.masterKeys.kind === 'file',
    'LATCHKEY_MASTER_KEYS',
    'must hold kid:base64-32-bytes, kept outside the data folder',
  ],
  [config.mail.kind === 'inbox', 'LATCHKEY_SMTP_URL', 'must name a mail server'],
  [config.mail.kind === 'smtp' && config.mail.tls === 'off', 'LATCHKEY_SMTP_URL', 'must not say tls=off in production'],
  [
    config.database.kind !== 'local' && isPlainHttpElsewhere(config.database.url),
    'LATCHKEY_PRIMARY_URL',
    'must be https:// or libsql:// in production, but on this machine',
  ],
  [
    config.blobs.kind === 's3' && isPlainHttpElsewhere(config.blobs.place.origin),
    'LATCHKEY_BLOBS',
    'must have an https:// endpoint in production, but on this machine: media would cross the network in the clear',
  ],
  [
    config.backups !== null && isBackupInTheClear(config.backups.to),
    'LATCHKEY_BACKUP_TO',
    'must have an https:// endpoint in production, but on this machine: backups would cross the network in the clear',
  ],
]

// Development shows mail to whoever asks: it must not be reachable from elsewhere, not through a tunnel either.
const developmentRules = (config: Config): Rule[] => [
  [!isLoopback(config.listen.host), 'LATCHKEY_HOST', 'must be loopback outside production: /inbox shows every mail'],
  [!isLoopback(new URL(config.origin).hostname), 'LATCHKEY_ORIGIN', 'must be loopback outside production'],
  [
    config.env === 'development' && config.trustedProxies.length > 0,
    'LATCHKEY_TRUSTED_PROXIES',
    'has no place in development: forwarded requests are refused there',
  ],
]

const allRules = (config: Config, secrets: Secrets, read: Read): Rule[] => [
  [
    read.LATCHKEY_REPLICA_TOKEN !== undefined && config.database.kind !== 'replica',
    'LATCHKEY_REPLICA_TOKEN',
    'needs LATCHKEY_PRIMARY_URL and LATCHKEY_DATABASE',
  ],
  [
    read.LATCHKEY_PRIMARY_TOKEN !== undefined && read.LATCHKEY_PRIMARY_URL === undefined,
    'LATCHKEY_PRIMARY_TOKEN',
    'needs LATCHKEY_PRIMARY_URL',
  ],
  [
    config.blobs.kind === 's3' && read.LATCHKEY_S3_ACCESS_KEY === undefined,
    'LATCHKEY_S3_ACCESS_KEY',
    'must be given with LATCHKEY_BLOBS=s3://…',
  ],
  [
    config.blobs.kind === 's3' && read.LATCHKEY_S3_SECRET_KEY === undefined,
    'LATCHKEY_S3_SECRET_KEY',
    'must be given with LATCHKEY_BLOBS=s3://…',
  ],
  [
    config.human.kind === 'turnstile' && config.human.siteKey === '',
    'LATCHKEY_TURNSTILE_SITE_KEY',
    'must be given with LATCHKEY_HUMAN=turnstile',
  ],
  [
    config.human.kind === 'turnstile' && secrets.turnstile === null,
    'LATCHKEY_TURNSTILE_SECRET',
    'must be given with LATCHKEY_HUMAN=turnstile',
  ],
  [
    config.backups?.to.startsWith('s3:') === true && secrets.backupS3 === null,
    'LATCHKEY_BACKUP_S3_SECRET_KEY',
    'must be given, with LATCHKEY_BACKUP_S3_ACCESS_KEY, or the keys of LATCHKEY_BLOBS for both',
  ],
  ...(config.env === 'production' ? productionRules(config, secrets, read) : developmentRules(config)),
  [
    read.LATCHKEY_MAIL_FROM === undefined && (config.mail.kind === 'smtp' || config.env === 'production'),
    'LATCHKEY_MAIL_FROM',
    'must say who sends the mail',
  ],
]

/** The rules that these settings break. */
export const brokenRules = (config: Config, secrets: Secrets, read: Read): Problem[] =>
  allRules(config, secrets, read).flatMap(([isBroken, name, says]) => (isBroken ? [{ name, says }] : []))
