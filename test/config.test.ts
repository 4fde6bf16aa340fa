// Settings: what is read, what stops the start, and that nothing secret is shown.
import { describe, expect, test } from 'bun:test'
import { ConfigError, describeConfig, type Env, readConfig } from '../src/config'
import { envExample, settingNames } from '../src/config/settings'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
const read = (env: Env, source: 'source' | 'binary' = 'source') => readConfig(env, { source })
const refusal = (env: Env, source: 'source' | 'binary' = 'source'): string => {
  try {
    read(env, source)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'starts'
}
const production: Env = {
  LATCHKEY_ENV: 'production',
  LATCHKEY_ORIGIN: 'https://keys.example.com',
  LATCHKEY_MASTER_KEYS: `b:${key(2)},a:${key(1)}`,
  LATCHKEY_SMTP_URL: 'smtps://robot:p%40ss-word@mail.example.com',
  LATCHKEY_MAIL_FROM: 'Latchkey <robot@example.com>',
}

describe('without a setting', () => {
  test('source is development on loopback, with a local database, an inbox and a generated key', () => {
    const { config, secrets } = read({ PATH: '/bin' })
    expect(config).toMatchObject({
      env: 'development',
      listen: { host: '127.0.0.1', port: 3000 },
      origin: 'http://localhost:3000',
      https: false,
      database: { kind: 'local', path: './data/latchkey.db' },
      blobs: { kind: 'disk', path: './data/media' },
      mail: { kind: 'inbox' },
      signUp: { kind: 'open' },
      keyPrefix: 'ml',
      mediaMaxBytes: 5 * 1024 ** 3,
      startFloorMs: 250,
    })
    expect([...config.hosts]).toEqual(['localhost:3000', '127.0.0.1:3000', '[::1]:3000'])
    expect([...config.allowedOrigins]).toContain('http://127.0.0.1:3000')
    expect(secrets).toEqual({
      masterKeys: { kind: 'file', path: './data/master.key' },
      primaryToken: '',
      replicaToken: '',
      smtp: null,
      dkim: null,
      turnstile: null,
      s3: null,
      redisUrl: null,
      backupIdentity: null,
      backupS3: null,
    })
  })

  test('the binary is production, and says everything it lacks in one message', () => {
    const message = refusal({}, 'binary')
    expect(message.match(/LATCHKEY_\w+/g)).toEqual([
      'LATCHKEY_ORIGIN',
      'LATCHKEY_MASTER_KEYS',
      'LATCHKEY_SMTP_URL',
      'LATCHKEY_MAIL_FROM',
    ])
  })
})

describe('production', () => {
  test('starts with https origin, master keys and SMTP, and answers under the origin alone', () => {
    const { config, secrets } = read(production)
    expect([...config.hosts]).toEqual(['keys.example.com'])
    expect([...config.allowedOrigins]).toEqual(['https://keys.example.com'])
    expect(config.listen.host).toBe('0.0.0.0')
    expect(config.mail).toEqual({
      kind: 'smtp',
      host: 'mail.example.com',
      port: 465,
      tls: 'implicit',
      from: 'Latchkey <robot@example.com>',
    })
    expect(secrets.smtp).toEqual({ user: 'robot', password: 'p@ss-word' })
    expect(secrets.masterKeys).toEqual({
      kind: 'given',
      keys: [
        { kid: 'b', key: new Uint8Array(32).fill(2) },
        { kid: 'a', key: new Uint8Array(32).fill(1) },
      ],
    })
  })

  test('asks unknown devices for a proof of work unless it is told otherwise', () => {
    expect(read({}).config.human).toEqual({ kind: 'off' })
    expect(read(production).config.human).toEqual({ kind: 'altcha' })
    expect(read({ ...production, LATCHKEY_HUMAN: 'off' }).config.human).toEqual({ kind: 'off' })
    const turnstile = { ...production, LATCHKEY_HUMAN: 'turnstile' }
    expect(refusal(turnstile)).toMatch(/TURNSTILE_SITE_KEY[\s\S]*TURNSTILE_SECRET/)
    const keys = { LATCHKEY_TURNSTILE_SITE_KEY: '0x4AAA', LATCHKEY_TURNSTILE_SECRET: 'shown-to-nobody' }
    const { config, secrets } = read({ ...turnstile, ...keys })
    expect(config.human).toEqual({ kind: 'turnstile', siteKey: '0x4AAA' })
    expect(secrets.turnstile).toBe('shown-to-nobody')
    expect(describeConfig(config)).not.toContain('shown-to-nobody')
  })

  test.each([
    ['LATCHKEY_ORIGIN', 'http://keys.example.com'],
    ['LATCHKEY_MASTER_KEYS', undefined],
    ['LATCHKEY_SMTP_URL', undefined],
    ['LATCHKEY_SMTP_URL', 'smtp://mail.example.com?tls=off'],
    ['LATCHKEY_MAIL_FROM', undefined],
    ['LATCHKEY_PRIMARY_URL', 'http://db.example.com'],
  ])('does not start with %s %s', (name, value) => {
    expect(refusal(production)).toBe('starts')
    expect(refusal({ ...production, [name]: value })).toContain(name)
  })
})

describe('development', () => {
  test.each([
    ['LATCHKEY_HOST', '0.0.0.0', '127.0.0.2'],
    ['LATCHKEY_ORIGIN', 'http://demo.example.com', 'http://localhost:8080'],
  ])('refuses %s %s, which others could reach, and takes %s', (name, refused, taken) => {
    expect(refusal({ [name]: refused })).toContain(name)
    expect(refusal({ [name]: taken })).toBe('starts')
  })

  test('trusts no proxy, which a test may', () => {
    const proxies = { LATCHKEY_TRUSTED_PROXIES: '10.0.0.0/8, ::1' }
    expect(refusal(proxies)).toContain('LATCHKEY_TRUSTED_PROXIES')
    expect(read({ ...proxies, LATCHKEY_ENV: 'test' }).config.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
  })
})

describe('names', () => {
  test('an unknown one stops the start and is told the nearest known one', () => {
    expect(refusal({ LATCHKEY_ORGIN: 'x' })).toContain('LATCHKEY_ORGIN is not a setting; did you mean LATCHKEY_ORIGIN?')
    expect(refusal({ LATCHKEY_SMTPURL: 'x' })).toContain('LATCHKEY_SMTP_URL')
  })

  test('what Kubernetes injects for a Service of our name is passed over', () => {
    const injected = {
      LATCHKEY_SERVICE_HOST: '10.0.0.1',
      LATCHKEY_SERVICE_PORT_HTTP: '80',
      LATCHKEY_PORT: 'tcp://10.0.0.1:80',
      LATCHKEY_PORT_80_TCP: 'tcp://10.0.0.1:80',
      LATCHKEY_PORT_80_TCP_PROTO: 'tcp',
      LATCHKEY_DB_PORT: 'tcp://10.0.0.2:80',
    }
    expect(read(injected).config.listen.port).toBe(3000)
    expect(refusal({ LATCHKEY_DB_PORT: '5432' })).toContain('LATCHKEY_DB_PORT')
  })

  test('an empty value counts as none', () => expect(read({ LATCHKEY_PORT: '' }).config.listen.port).toBe(3000))
})

describe('values', () => {
  test.each([
    ['LATCHKEY_PORT', '65536'],
    ['LATCHKEY_PORT', '0x50'],
    ['LATCHKEY_ENV', 'staging'],
    ['LATCHKEY_ORIGIN', 'http://localhost:3000/app'],
    ['LATCHKEY_HOSTS', 'x'],
    ['LATCHKEY_DATABASE', '/tmp/x.db'],
    ['LATCHKEY_MASTER_KEYS', 'a:c2hvcnQ='],
    ['LATCHKEY_MASTER_KEYS', `a:${key(1)},a:${key(2)}`],
    ['LATCHKEY_KEY_PREFIX', 'ML'],
    ['LATCHKEY_SIGN_UP', 'domains:one.example,'],
    ['LATCHKEY_REDIRECTS', '//evil.example.com'],
    ['LATCHKEY_REDIRECTS', 'javascript:alert(1)'],
    ['LATCHKEY_MEDIA_MAX_BYTES', '5GB'],
    ['LATCHKEY_PRIMARY_URL', 'https://user:pass@db.example.com'],
    ['LATCHKEY_PRIMARY_TOKEN', 'without-a-primary'],
  ])('%s refuses %s and does not repeat it', (name, value) => {
    const message = refusal({ [name]: value })
    expect(message).toContain(name)
    expect(message).not.toContain(value)
  })

  test('sign-up by domains, redirects, further hosts and a remote primary are read', () => {
    const { config, secrets } = read({
      LATCHKEY_SIGN_UP: 'domains:a.com,b.com',
      LATCHKEY_REDIRECTS: '/welcome, http://localhost:5173/back',
      LATCHKEY_HOSTS: 'Other.Example:3000',
      LATCHKEY_PRIMARY_URL: 'http://127.0.0.1:8080',
      LATCHKEY_PRIMARY_TOKEN: 'token',
      LATCHKEY_DATA_DIR: '/var/lib/latchkey/',
    })
    expect(config.signUp).toEqual({ kind: 'domains', domains: ['a.com', 'b.com'] })
    expect(config.redirects).toEqual(['/welcome', 'http://localhost:5173/back'])
    expect(config.hosts.has('other.example:3000')).toBe(true)
    expect(config.database).toEqual({ kind: 'remote', url: 'http://127.0.0.1:8080' })
    expect(config.blobs).toEqual({ kind: 'disk', path: '/var/lib/latchkey/media' })
    expect([secrets.primaryToken, secrets.replicaToken]).toEqual(['token', 'token'])
  })
})

describe('a bucket', () => {
  const keys = { LATCHKEY_S3_ACCESS_KEY: 'AKID', LATCHKEY_S3_SECRET_KEY: 'hush/hush+hush' }
  const bucket = (blobs: string, more: Env = {}) => read({ LATCHKEY_BLOBS: blobs, ...keys, ...more })

  test.each([
    ['s3://media?endpoint=http://127.0.0.1:9000', 'http://127.0.0.1:9000', '/media/', 'us-east-1', ''],
    [
      's3://media/a/b/?endpoint=https://s3.example.com/&region=auto',
      'https://s3.example.com',
      '/media/',
      'auto',
      'a/b/',
    ],
    ['s3://media?region=eu-central-1', 'https://media.s3.eu-central-1.amazonaws.com', '/', 'eu-central-1', ''],
    ['s3://m.x?region=eu-central-1&style=path', 'https://s3.eu-central-1.amazonaws.com', '/m.x/', 'eu-central-1', ''],
    [
      's3://media?endpoint=https://oss.example.com&style=virtual',
      'https://media.oss.example.com',
      '/',
      'us-east-1',
      '',
    ],
  ])('%s is read', (text, origin, root, region, prefix) => {
    const { config, secrets } = bucket(text)
    expect(config.blobs).toEqual({ kind: 's3', place: { origin, root, region, prefix } })
    expect(secrets.s3).toEqual({ access: 'AKID', secret: 'hush/hush+hush' })
  })

  test.each([
    ['s3:media', 'LATCHKEY_BLOBS is not s3:// and the name of a bucket'],
    ['gs://media', 'LATCHKEY_BLOBS is not file:<folder> or s3://bucket/prefix'],
    ['s3://media', 'LATCHKEY_BLOBS is not a bucket with its endpoint, or with its region where it is at AWS'],
    ['s3://ab?region=eu-central-1', 'LATCHKEY_BLOBS is not s3:// and the name of a bucket, 3 to 63 of a-z 0-9 . -'],
    ['s3://AKID:hush@media?region=x', 'LATCHKEY_BLOBS is not free of credentials: they have settings of their own'],
    ['s3://media?region=Frankfurt', 'LATCHKEY_BLOBS is not in a region like eu-central-1'],
    ['s3://media?endpoint=s3.example.com', 'LATCHKEY_BLOBS is not at an endpoint like https://host:port'],
    ['s3://media?endpoint=https://s3.example.com/x', 'LATCHKEY_BLOBS is not at an endpoint like https://host:port'],
    ['s3://media?region=x&regio=y', 'LATCHKEY_BLOBS is not limited to the options endpoint, region and style'],
    ['s3://media?region=x&style=paths', 'LATCHKEY_BLOBS is not of style=path or style=virtual'],
    ['s3://media/a b?region=x', 'LATCHKEY_BLOBS is not under a prefix of'],
  ])('%s is told what is wrong with it, and not repeated', (text, says) => {
    const message = refusal({ LATCHKEY_BLOBS: text, ...keys })
    expect(message).toContain(says)
    expect(message).not.toContain('hush')
    expect(message.match(/^ {2}- /gm)).toHaveLength(1)
  })

  test('needs both its keys, and https in production unless it is on this machine', () => {
    const place = 's3://media?endpoint=http://10.0.0.7:9000'
    const message = refusal({ ...production, LATCHKEY_BLOBS: place })
    const named = [...message.matchAll(/^ {2}- LATCHKEY_(\w+)/gm)].map(([, name]) => name)
    expect(named).toEqual(['S3_ACCESS_KEY', 'S3_SECRET_KEY', 'BLOBS'])
    for (const endpoint of ['http://127.0.0.1:9000', 'https://s3.example.com'])
      expect(refusal({ ...production, ...keys, LATCHKEY_BLOBS: `s3://media?endpoint=${endpoint}` })).toBe('starts')
    expect(describeConfig(bucket(place).config)).not.toMatch(/AKID|hush/)
  })

  test('of backups is held to the same, and is never taken for a folder', () => {
    const to = (place: string) => refusal({ ...production, ...keys, LATCHKEY_BACKUP_TO: place })
    for (const end of ['endpoint=http://10.1.2.3:9000', 'endpoint=http://127.0.0.1:9000&style=virtual'])
      expect(to(`s3://backups/latchkey?${end}`)).toContain('LATCHKEY_BACKUP_TO must have an https:// endpoint')
    for (const endpoint of ['http://127.0.0.1:9000', 'https://s3.example.com'])
      expect(to(`s3://backups/latchkey?endpoint=${endpoint}`)).toBe('starts')
    expect(to('file:/backups')).toBe('starts')
    expect(to('S3://backups?region=eu-central-1')).toContain('LATCHKEY_BACKUP_TO is not file:<folder> or s3://')
    expect(read({ ...keys, LATCHKEY_BACKUP_TO: 's3://backups?endpoint=http://10.1.2.3:9000' }).config.backups).not.toBe(
      null,
    )
  })
})

test('the printed policy holds no secret', () => {
  const text = describeConfig(read({ ...production, LATCHKEY_PRIMARY_URL: 'https://db.example.com' }).config)
  expect(text).toContain('mail.example.com')
  for (const secret of ['p@ss-word', 'p%40ss-word', key(1), key(2)]) expect(text).not.toContain(secret)
})

test('.env.example is what the settings say', async () => {
  const file = await Bun.file(`${import.meta.dir}/../.env.example`).text()
  expect(file).toBe(envExample())
  for (const name of settingNames) expect(file).toContain(`# ${name}=`)
})
