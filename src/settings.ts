// Every setting there is: its shape and one line on what it means. `.env.example` and the start-up check are made from it.
import { z } from 'zod'
import { parseMasterKeys } from './master-keys'

/** The hosts of this machine alone. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '::1' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).max(100))

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `at least ${least}`).max(most, `at most ${most}`))

const parsed = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)
const url = (protocols: readonly string[], says: string) =>
  z.string().refine((text) => protocols.includes(parsed(text)?.protocol ?? ''), says)

const origin = url(['http:', 'https:'], 'an origin, https://host').refine((text) => {
  const it = parsed(text)
  return it !== null && (text === it.origin || text === `${it.origin}/`)
}, 'an origin alone: no path, in lower case')

// The router looks for the path from character 11 of the URL: a shorter host would be read as a part of it.
const host = z
  .string()
  .toLowerCase()
  .regex(/^(\[[0-9a-f:]+\]|[a-z0-9.-]{4,253})(:\d{1,5})?$/, 'host or host:port, 4 letters or more')

const filePath = z
  .string()
  .regex(/^file:[^?#]+$/, 'file:<path>')
  .transform((text) => text.slice('file:'.length))

const redirect = z.string().refine((text) => {
  if (text.startsWith('/')) return !/^\/[/\\]/.test(text) && parsed(`http://h${text}`) !== null
  return ['http:', 'https:'].includes(parsed(text)?.protocol ?? '')
}, 'a path that starts with one /, or an http(s) URL')

const masterKeys = z.string().transform((text, context) => {
  try {
    return parseMasterKeys(text)
  } catch {
    context.addIssue('kid:base64 of 32 bytes, each kid once')
    return z.NEVER
  }
})

const signUp = z
  .string()
  .regex(/^(open|invite|closed|domains:[a-z0-9.-]+(,[a-z0-9.-]+)*)$/, 'open, domains:a.com,b.com, invite or closed')
  .transform((text) =>
    text.startsWith('domains:')
      ? { kind: 'domains' as const, domains: text.slice('domains:'.length).split(',') }
      : { kind: text as 'open' | 'invite' | 'closed' },
  )

const x25519Key = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'base64 of 32 bytes')

const cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: 'addresses or networks (CIDR)' })

type Setting = { means: string; example: string; schema: z.ZodType<unknown, string>; secret?: true }

/** In the order they are explained. `example` is what `.env.example` shows: the default where there is one. */
export const settings = {
  LATCHKEY_ENV: {
    means:
      'development, test or production; from source the default is development, in the binary and image production',
    example: 'development',
    schema: z.enum(['development', 'test', 'production'], { error: 'development, test or production' }),
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
  LATCHKEY_BLOBS: { means: 'where media is kept', example: 'file:./data/media', schema: filePath },
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
