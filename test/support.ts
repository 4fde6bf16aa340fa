// A whole program on a fresh database, driven over its public surface: what most tests start from.
import { eq } from 'drizzle-orm'
import { members, workspaces } from '../db/schema'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { createInbox } from '../src/adapters/mail-inbox'
import { pour } from '../src/adapters/pour'
import { createTokens } from '../src/adapters/tokens-jwt'
import { createApp } from '../src/app'
import { type Env, readConfig } from '../src/config'
import { type Keyring, openKeyring } from '../src/keyring'
import { randomBytes } from '../src/lib/crypto'
import type { Role } from '../src/permissions'
import type { Blobs, HumanCheck, Log } from '../src/ports'
import type { Ports } from '../src/services'
import { builder, statement } from '../src/write'
import { newTestClock } from './clock'
import { newFolder, newTestDatabase } from './template'

export const origin = 'http://localhost:3000'

/** A log that only remembers. */
export const newTestLog = () => {
  const lines: string[] = []
  const events: { level: string; fields: Record<string, unknown>; message: string }[] = []
  const event = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void events.push({ level, fields, message })
  const log: Log = {
    info: event('info'),
    warn: event('warn'),
    error: event('error'),
    request: (done) => void lines.push(JSON.stringify(done)),
    flush: () => {},
  }
  return { log, lines, events }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent; each test says what it expects
export type Json = any
export type Answer = { status: number; headers: Headers; body: Json }
type Init = { headers?: Record<string, string>; body?: unknown; raw?: BodyInit; from?: string }

/** The program with its doors: `call` sends a request, `signIn` a person through the mail, `as` someone with a role. */
export const testApp = async ({
  env = {},
  blobs: given,
  human,
  ports: more,
}: {
  env?: Env
  blobs?: Blobs
  human?: (keyring: Keyring) => HumanCheck
  ports?: Partial<Ports>
} = {}) => {
  const { db, path, close } = await newTestDatabase()
  const clock = newTestClock()
  const { log, lines, events } = newTestLog()
  const { config } = readConfig(
    {
      LATCHKEY_ENV: 'test',
      LATCHKEY_ORIGIN: origin,
      LATCHKEY_DATA_DIR: newFolder(),
      LATCHKEY_START_FLOOR_MS: '0',
      LATCHKEY_RATE_LIMITS: 'off',
      ...env,
    },
    { source: 'source' },
  )
  const keyring = await openKeyring({ db, master: [{ kid: 'test', key: randomBytes(32) }], clock })
  const inbox = createInbox({ clock })
  const mediaFolder = config.blobs.kind === 'disk' ? config.blobs.path : ''
  const blobs = given ?? createDiskBlobs({ folder: mediaFolder })
  const ports = {
    db,
    blobs,
    pour,
    mailer: inbox.mailer,
    tokens: createTokens({ keyring }),
    keyring,
    clock,
    log,
    human: human?.(keyring) ?? null,
    ...more,
  }
  const app = await createApp(config, ports)

  const fetch = (method: string, target: string, { headers = {}, body, raw, from = '203.0.113.7' }: Init = {}) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = body === undefined ? raw : JSON.stringify(body)
    const request = new Request(origin + target, {
      method,
      headers: { host: new URL(origin).host, ...json, ...headers },
      ...(sent !== undefined && { body: sent }),
    })
    return app.fetch(request, () => from)
  }

  const call = async (method: string, target: string, init: Init = {}): Promise<Answer> => {
    const response = await fetch(method, target, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
  }

  const clientOf = (headers: Record<string, string>) => {
    const send =
      (method: string) =>
      (target: string, body?: unknown, init: Init = {}) =>
        call(method, target, { ...init, body, headers: { ...headers, ...init.headers } })
    return {
      headers,
      get: send('GET'),
      post: send('POST'),
      patch: send('PATCH'),
      put: send('PUT'),
      delete: send('DELETE'),
    }
  }

  /** The newest code mailed to an address. */
  const codeFor = async (email: string): Promise<string> => {
    await app.services.jobs.runNow('outbox')
    const mails = inbox.list().filter((m) => m.to === email)
    const code = mails.map((m) => /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(m.text)?.[0]).find(Boolean)
    if (!code) throw new Error(`no code was mailed`)
    return code
  }

  const signIn = async (email: string, label?: string) => {
    const started = await call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
    const { challenge_id, binding } = started.body
    const code = await codeFor(email)
    const { body } = await call('POST', '/api/auth/verify', { body: { challenge_id, binding, code, label } })
    const client = clientOf({ authorization: `Bearer ${body.token}` })
    const { body: me } = await client.get('/api/me')
    return {
      ...client,
      email,
      userId: me.id as string,
      token: body.token as string,
      workspace: me.workspaces[0],
    }
  }
  type Person = Awaited<ReturnType<typeof signIn>>

  /** Makes a person a member of a workspace, as accepting an invitation will. */
  const join = async (workspace: string, userId: string, role: Role) => {
    const [row] = await db.orm.select().from(workspaces).where(eq(workspaces.id, workspace))
    const member = { workspaceId: row!.workspaceId, userId, role, createdAt: clock.now() }
    await db.batch([statement(builder.insert(members).values(member))])
  }

  let founder: Promise<Person> | undefined
  /** Somebody with that role in one shared workspace, whose first admin is `founder()`. */
  const as = async (role: Role) => {
    founder ??= signIn('founder@example.com')
    const admin = await founder
    if (role === 'admin') return admin
    const person = await signIn(`${role}-${crypto.randomUUID()}@example.com`)
    await join(admin.workspace.id, person.userId, role)
    const headers = { ...person.headers, 'x-workspace-id': admin.workspace.id as string }
    return { ...person, ...clientOf(headers), workspace: admin.workspace }
  }

  const stop = async () => {
    await app.stop()
    await close()
  }
  return {
    app,
    call,
    fetch,
    clientOf,
    signIn,
    as,
    join,
    codeFor,
    clock,
    db,
    path,
    inbox,
    config,
    mediaFolder,
    lines,
    events,
    ports,
    stop,
  }
}
export type Client = ReturnType<TestApp['clientOf']>
export type TestApp = Awaited<ReturnType<typeof testApp>>
