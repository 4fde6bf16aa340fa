// How it stops: within the 10 s that `docker stop` gives, with what it had only noted in memory written.
import { Database } from 'bun:sqlite'
import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { auditEvents } from '../db/schema'
import { type Smtp, startSmtp } from './smtp'
import { bearer, newCaller } from './story'
import { testApp } from './support'
import { newFolder } from './template'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A server as a process of its own, told to stop as a container is. */
const serve = async (env: Record<string, string> = {}) => {
  const folder = newFolder()
  const child = Bun.spawn([process.execPath, join(import.meta.dir, '../src/cli.ts')], {
    env: {
      PATH: process.env.PATH,
      LATCHKEY_PORT: '0',
      LATCHKEY_DATA_DIR: folder,
      LATCHKEY_START_FLOOR_MS: '0',
      ...env,
    },
    stdout: 'pipe',
  })
  open.push(() => child.kill(9))
  let log = ''
  const started = Promise.withResolvers<string>()
  const read = async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      log += text
      const [, at] = /"listening":"([^"]+)".*\n/.exec(log) ?? []
      if (at) started.resolve(at)
    }
  }
  const ended = read()
  const caller = newCaller(await started.promise)
  const stop = async () => {
    const from = performance.now()
    child.kill('SIGTERM')
    const code = await child.exited
    await ended
    return { code, ms: performance.now() - from, log }
  }
  return { ...caller, stop, database: new Database(join(folder, 'latchkey.db')) }
}
type Server = Awaited<ReturnType<typeof serve>>

const email = 'ada@example.com'
const start = ({ call }: Server) => call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
const signIn = async (server: Server, codeFor: () => Promise<string>) => {
  const { challenge_id, binding } = await start(server)
  const json = { challenge_id, binding, code: await codeFor() }
  return bearer((await server.call('POST', '/api/auth/verify', 200, { json })).token)
}
/** Three requests that the usage of a day counts. */
const use = async ({ call }: Server, headers: Record<string, string>) => {
  for (let i = 0; i < 3; i++) await call('GET', '/api/keys', 200, { headers })
}
const counted = ({ database }: Server) =>
  (database.query('select coalesce(sum(requests), 0) as count from usage').get() as { count: number }).count

const codeFrom = async (server: Smtp) => /\b\w{4}-\w{4}\b/.exec((await server.wait(1)).at(-1)!.text)![0]

test('a mail server that takes a mail and never says so keeps it neither from stopping in time nor from counting', async () => {
  const smtp = await startSmtp({ tls: 'none' })
  open.push(smtp.close)
  const server = await serve({ LATCHKEY_SMTP_URL: smtp.url, LATCHKEY_MAIL_FROM: 'robot@example.com' })
  await use(server, await signIn(server, () => codeFrom(smtp)))
  smtp.behave('stall')
  await start(server)
  await smtp.wait(2)
  expect(counted(server)).toBe(0)
  const { code, ms, log } = await server.stop()
  expect([code, counted(server)]).toEqual([0, 3])
  expect(ms).toBeLessThan(9500)
  expect(log).not.toContain('"level":"error"')
}, 30_000)

test('what cannot be written is said by name, and by the exit code; the rest is written, and all is closed', async () => {
  const server = await serve()
  await use(server, await signIn(server, () => server.codeFor(email)))
  server.database.exec("create trigger lost before insert on usage begin select raise(abort, 'no'); end")
  const { code, ms, log } = await server.stop()
  expect([code, counted(server)]).toEqual([1, 0])
  expect(ms).toBeLessThan(5000)
  expect(log).toMatch(/"what":"usage".*"not written before the end"/)
  expect(log.match(/not written/g)).toHaveLength(1)
  expect(server.database.query('select max(last_seen_at - created_at) as ms from sessions').get()).not.toEqual({
    ms: 0,
  })
}, 30_000)

test('what a run is writing while it stops is written once', async () => {
  const t = await testApp()
  const viewer = await t.as('viewer')
  expect((await viewer.post('/api/keys', { name: 'x' })).status).toBe(403)
  const [held, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { batch } = t.db
  t.db.batch = async (...of) => {
    begun.resolve()
    await held.promise
    return batch(...of)
  }
  const run = t.app.services.jobs.runNow('denials')
  await begun.promise
  t.db.batch = batch
  const stopping = t.app.stop()
  await new Promise((resolve) => setTimeout(resolve))
  held.resolve()
  expect([await run, await stopping]).toEqual([true, []])
  const rows = await t.db.acrossTenants('test', (orm) => orm.select().from(auditEvents).all())
  expect(rows.filter(({ action }) => action === 'access.denied')).toHaveLength(1)
  await t.stop()
})
