// Every setting there is: its shape and one line on what it means. `.env.example` and the start-up check are made from it.
import { z } from 'zod'
import {
  backupPlace,
  blobs,
  cidr,
  filePath,
  host,
  list,
  masterKeys,
  origin,
  parsed,
  redirect,
  s3Key,
  signUp,
  url,
  whole,
  x25519Key,
} from './shapes'

type Setting = { means: string; example: string; schema: z.ZodType<unknown, string>; secret?: true }

/** In the order they are explained. `example` is what `.env.example` shows: the default where there is one. */
export const settings = {
  LATCHKEY_ENV: {
    means:
      'development, test or production; from source the default is development, in the binary and image production',
    example: 'development',
    schema: z.enum(['development', 'test', 'production'], { error: 'development, test or production' }),
  },
  LATCHKEY_SETTINGS: {
    means: 'file:<path> of a file with any of these, a NAME=value a line as it stands; the environment goes before it',
    example: '',
    schema: filePath,
  },
  LATCHKEY_PORT: { means: 'the port it listens on; 0 takes any free one', example: '3000', schema: whole(0, 65_535) },
  LATCHKEY_HOST: {
    means: 'the address it listens on; production 0.0.0.0',
    example: '127.0.0.1',
    schema: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'an address or a host name'),
  },
  LATCHKEY_ORIGIN: {
    means: 'the public origin, for links, cookies and the Host check; required and https in production',
    example: 'http://localhost:3000',
    schema: origin,
  },
  LATCHKEY_HOSTS: {
    means: 'further hosts to answer under, with their ports, by commas',
    example: '',
    schema: list(host),
  },
  LATCHKEY_DATA_DIR: {
    means: 'folder of database, media and the generated development key',
    example: './data',
    schema: z.string(),
  },
  LATCHKEY_DATABASE: {
    means: 'the local database file; with a primary, the file of the copy that this node reads',
    example: 'file:./data/latchkey.db',
    schema: filePath,
  },
  LATCHKEY_PRIMARY_URL: {
    means: 'a libSQL primary (sqld, Turso) that several nodes share; without LATCHKEY_DATABASE each read asks it',
    example: '',
    schema: url(['https:', 'http:', 'libsql:'], 'an https:// or libsql:// URL').refine((text) => {
      const it = parsed(text)
      return it !== null && it.username === '' && it.password === '' && it.search === ''
    }, 'without credentials or query: the token is LATCHKEY_PRIMARY_TOKEN'),
  },
  LATCHKEY_PRIMARY_TOKEN: { means: "the primary's access token", example: '', schema: z.string(), secret: true },
  LATCHKEY_REPLICA_TOKEN: {
    means: 'a token that only reads (a: ro), for the copy; without it the one above',
    example: '',
    schema: z.string(),
    secret: true,
  },
  LATCHKEY_STALE_READS_SECONDS: {
    means: 'how long a node with a copy goes on while the primary is away; added to every bound on revocation',
    example: '0',
    schema: whole(0, 86_400),
  },
  LATCHKEY_BLOBS: {
    means: 'where media is kept: file:<folder> or s3://bucket/prefix?endpoint=…&region=… (style=virtual at some)',
    example: 'file:./data/media',
    schema: blobs,
  },
  LATCHKEY_S3_ACCESS_KEY: { means: 'the access key of the bucket', example: '', schema: s3Key, secret: true },
  LATCHKEY_S3_SECRET_KEY: { means: 'the secret key of the bucket', example: '', schema: s3Key, secret: true },
  LATCHKEY_BACKUP_TO: {
    means:
      'where backups are made by themselves: file:<folder> or s3://bucket/prefix?endpoint=…&region=…; without it none are',
    example: '',
    schema: backupPlace,
  },
  LATCHKEY_BACKUP_EVERY_HOURS: {
    means: 'how old the newest one becomes before the next is made',
    example: '24',
    schema: whole(1, 8760),
  },
  LATCHKEY_BACKUP_KEEP: {
    means: 'how many of them are kept; the oldest go once a newer one is whole',
    example: '7',
    schema: whole(1, 10_000),
  },
  LATCHKEY_BACKUP_MEDIA: {
    means: 'included, or referenced: then backups only name the media, and it is kept safe by other means',
    example: 'included',
    schema: z.enum(['included', 'referenced'], { error: 'included or referenced' }),
  },
  LATCHKEY_BACKUP_S3_ACCESS_KEY: {
    means: 'for the bucket of the backups, where it is not LATCHKEY_S3_ACCESS_KEY',
    example: '',
    schema: s3Key,
    secret: true,
  },
  LATCHKEY_BACKUP_S3_SECRET_KEY: { means: 'its secret key', example: '', schema: s3Key, secret: true },
  LATCHKEY_BACKUP_RECIPIENT: {
    means: 'base64 of an X25519 public key: backups are encrypted to it; without it they are not',
    example: '',
    schema: x25519Key,
  },
  LATCHKEY_BACKUP_IDENTITY: {
    means: 'base64 of its private key, for restore and drill alone; kept elsewhere than the server',
    example: '',
    schema: x25519Key,
    secret: true,
  },
  LATCHKEY_SMTP_URL: {
    means:
      'smtp://user:pass@host:587 (STARTTLS is required unless ?tls=off) or smtps://…; without it mail is at /inbox',
    example: '',
    schema: url(['smtp:', 'smtps:'], 'an smtp:// or smtps:// URL').refine(
      (text) => (parsed(text)?.hostname ?? '') !== '' && ['', '?tls=off'].includes(parsed(text)?.search ?? ''),
      'a host and no option but ?tls=off',
    ),
    secret: true,
  },
  LATCHKEY_MAIL_FROM: {
    means: 'the sender of mail, as Name <address> or an address',
    example: '',
    schema: z.string().regex(/^([^<>\r\n"]{0,100} )?<?[^\s<>@",]+@[^\s<>@",]+>?$/, 'an address, or Name <address>'),
  },
  LATCHKEY_DKIM: {
    means: 'selector:base64-of-an-RSA-key in PKCS #8, to sign mail for the domain of the sender; none signs none',
    example: '',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,63}:[A-Za-z0-9+/]{800,8000}={0,2}$/, 'selector:base64, 1024 bits or more'),
    secret: true,
  },
  LATCHKEY_MASTER_KEYS: {
    means: 'kid:base64-of-32-bytes,… the first is current; generated into the data folder outside production',
    example: '',
    schema: masterKeys,
    secret: true,
  },
  LATCHKEY_KEY_PREFIX: {
    means: 'what API keys start with',
    example: 'ml',
    schema: z.string().regex(/^[a-z][a-z0-9]{1,7}$/, '2 to 8 of a-z 0-9, a letter first'),
  },
  LATCHKEY_SIGN_UP: {
    means: 'who may make an account: open, domains:a.com,b.com, invite or closed',
    example: 'open',
    schema: signUp,
  },
  LATCHKEY_HUMAN: {
    means:
      'what unknown devices show before mail is sent: altcha (work done by the page), turnstile or off; off outside production',
    example: 'altcha',
    schema: z.enum(['altcha', 'turnstile', 'off'], { error: 'altcha, turnstile or off' }),
  },
  LATCHKEY_TURNSTILE_SITE_KEY: {
    means: 'the site key of Cloudflare Turnstile, which pages show',
    example: '',
    schema: z.string().regex(/^[\w-]{1,100}$/, 'a site key'),
  },
  LATCHKEY_TURNSTILE_SECRET: {
    means: 'the secret key of Cloudflare Turnstile',
    example: '',
    schema: z.string(),
    secret: true,
  },
  LATCHKEY_RATE_LIMITS: {
    means: 'default, the path of a plan file (JSON: rates and quotas), or off, which is for benchmarks and tests',
    example: 'default',
    schema: z
      .string()
      .transform((text) => (text === 'default' || text === 'off' ? text : { file: text.replace(/^file:/, '') })),
  },
  LATCHKEY_REDIS_URL: {
    means:
      'redis:// or rediss://, the Redis or Valkey on which several nodes share their rate limits and hasten revocations',
    example: '',
    schema: url(['redis:', 'rediss:'], 'a redis:// or rediss:// URL'),
    secret: true,
  },
  LATCHKEY_OPERATORS: {
    means: 'addresses of those who run the instance (plans, credits, health; no content), by commas',
    example: '',
    schema: list(z.string().toLowerCase().pipe(z.email('mail addresses'))),
  },
  LATCHKEY_TRUSTED_PROXIES: {
    means: 'addresses or networks whose X-Forwarded-* headers count, by commas',
    example: '',
    schema: list(cidr),
  },
  LATCHKEY_ALLOWED_ORIGINS: {
    means: "further browsers' origins that may call with credentials, by commas",
    example: '',
    schema: list(origin),
  },
  LATCHKEY_REDIRECTS: {
    means:
      'paths and URLs that sign-in may lead to, with all below them, by commas; without a path in it any path of the origin',
    example: '',
    schema: list(redirect),
  },
  LATCHKEY_MEDIA_MAX_BYTES: {
    means: 'the largest upload, in bytes',
    example: '5368709120',
    schema: whole(1, 1_099_511_627_776),
  },
  LATCHKEY_MEDIA_ENCRYPTION: {
    means: 'on seals what is uploaded from then on, under a key of its workspace; what is there stays as it is',
    example: 'off',
    schema: z.enum(['on', 'off'], { error: 'on or off' }),
  },
  LATCHKEY_SESSION_IDLE_DAYS: {
    means: 'after how many days without use a session ends, 1 to 30',
    example: '7',
    schema: whole(1, 30),
  },
  LATCHKEY_SESSION_DAYS: {
    means: 'after how many days any session ends, 1 to 90',
    example: '30',
    schema: whole(1, 90),
  },
  LATCHKEY_CODE_FORMAT: {
    means: 'what codes in mails are made of: letters (40 bits) or digits (26 bits, closed while many guess)',
    example: 'letters',
    schema: z.enum(['letters', 'digits']),
  },
  LATCHKEY_START_FLOOR_MS: {
    means: 'the least time that asking for a code takes, so that it tells nothing, in ms',
    example: '250',
    schema: whole(0, 5000),
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings
export const settingNames = Object.keys(settings) as SettingName[]

/** What each setting reads as; absent ones are undefined. */
export type Read = { [N in SettingName]?: z.output<(typeof settings)[N]['schema']> }

const secretNames: ReadonlySet<string> = new Set(settingNames.filter((n) => 'secret' in settings[n]))
const line = (name: SettingName) =>
  `# ${settings[name].means}${secretNames.has(name) ? ' (secret)' : ''}\n# ${name}=${settings[name].example}\n`

/** The text of `.env.example`. */
export const envExample = (): string =>
  `# Settings of Latchkey, read once at the start. Made by \`bun src/cli.ts config example\`; an unknown LATCHKEY_ name stops the start.\n\n${settingNames.map(line).join('\n')}`
