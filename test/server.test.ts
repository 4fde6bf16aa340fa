// The program on Bun, over real sockets: what it listens under, whom it takes a caller for, and how it stops.
import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createLog } from '../src/adapters/log-pino'
import { type Env, readConfig } from '../src/config'
import { type Running, startServer } from '../src/runtime/bun'
import { bearer, newCaller } from './story'
import { newFolder } from './template'

let running: Running | undefined
const stop = async () => {
  await running?.stop()
  running = undefined
}
afterEach(stop)

const start = async (env: Env = {}, graceMs?: number) => {
  const lines: string[] = []
  const folder = newFolder()
  const all = { LATCHKEY_PORT: '0', LATCHKEY_DATA_DIR: folder, LATCHKEY_START_FLOOR_MS: '0', ...env }
  const settle = (port?: number) =>
    readConfig({ ...all, ...(port !== undefined && { LATCHKEY_PORT: `${port}` }) }, { source: 'source' })
  running = await startServer(
    settle,
    createLog({ write: (text) => lines.push(text) }),
    graceMs === undefined ? {} : { graceMs },
  )
  return { ...newCaller(running.listening), running, lines, folder }
}

const newSession = async ({ call, codeFor }: ReturnType<typeof newCaller>) => {
  const email = 'ada@example.com'
  const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
  const code = await codeFor(email)
  return call('POST', '/api/auth/verify', 200, { json: { challenge_id, binding, code } })
}

test('on a port that was free it answers under the names that go with it, and under no other', async () => {
  const { running, send } = await start()
  const { port } = new URL(running.listening)
  expect(running.config.origin).toBe(`http://localhost:${port}`)
  expect((await send('GET', '/api/openapi.json')).status).toBe(200)
  expect((await send('GET', '/api/openapi.json', { headers: { host: `localhost:${port}` } })).status).toBe(200)
  expect((await send('GET', '/api/openapi.json', { headers: { host: 'evil.example.com' } })).status).toBe(421)
})

test('development does not answer what a proxy or tunnel passes on, which a test does', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  const { send } = await start()
  expect((await send('GET', '/inbox.json', { headers })).status).toBe(421)
  expect((await send('GET', '/inbox.json')).status).toBe(200)
  await stop()
  const behind = await start({ LATCHKEY_ENV: 'test', LATCHKEY_TRUSTED_PROXIES: '127.0.0.1' })
  expect((await behind.send('GET', '/inbox.json', { headers })).status).toBe(200)
})

test('a second server on the same port is refused, and gets none of the requests of the first', async () => {
  const { running, send } = await start()
  const env = { LATCHKEY_PORT: new URL(running.listening).port, LATCHKEY_DATA_DIR: newFolder() }
  const settle = () => readConfig(env, { source: 'source' })
  await expect(startServer(settle, createLog({ write: () => {} }))).rejects.toThrow()
  expect((await send('GET', '/v1/health')).status).toBe(200)
})

test('a second server on the same data is refused in words, and leaves the first at work', async () => {
  const { folder, send } = await start()
  const settle = () => readConfig({ LATCHKEY_PORT: '0', LATCHKEY_DATA_DIR: folder }, { source: 'source' })
  await expect(startServer(settle, createLog({ write: () => {} }))).rejects.toThrow('Another process')
  expect((await send('GET', '/v1/health')).status).toBe(200)
})

/** A download that has begun and is far from its end. */
const download = async (caller: Awaited<ReturnType<typeof start>>) => {
  const headers = bearer((await newSession(caller)).token)
  const size = 24 * 2 ** 20
  const upload = { headers: { ...headers, 'x-file-name': 'a.bin' }, body: new Uint8Array(size) }
  const { id } = await caller.call('POST', '/api/media', 201, upload)
  const reader = (await caller.send('GET', `/media/${id}`, { headers })).body!.getReader()
  let received = (await reader.read()).value!.length
  const finish = async () => {
    for (let part = await reader.read(); part.value; part = await reader.read()) received += part.value.length
    return received
  }
  return { size, finish }
}

test('a stream under way when it is told to stop is finished; nothing new is taken', async () => {
  const caller = await start()
  const { size, finish } = await download(caller)
  const stopping = stop()
  await expect(fetch(`${caller.running.listening}/v1/health`)).rejects.toThrow()
  expect(await finish()).toBe(size)
  await stopping
})

test('a stream that nobody reads does not keep it from stopping', async () => {
  const { size, finish } = await download(await start({}, 50))
  await stop()
  expect(await finish().catch(() => 0)).toBeLessThan(size)
})

test('when it stops its log is complete, and the next start finds all there was', async () => {
  const first = await start()
  const { token } = await newSession(first)
  await first.call('GET', '/api/me', 200, { headers: bearer(token) })
  await stop()
  expect(first.lines.join('')).toContain('"route":"/api/me"')
  const second = await start({ LATCHKEY_DATA_DIR: first.folder })
  expect((await second.send('GET', '/api/me', { headers: bearer(token) })).status).toBe(200)
})

test.each([
  ['is the peer', {}, '127.0.0.0/24'],
  ['is who a trusted proxy says', { LATCHKEY_TRUSTED_PROXIES: '127.0.0.1' }, '203.0.113.0/24'],
])('the client of a request %s', async (_, env, place) => {
  const { call, codeFor } = await start({ LATCHKEY_ENV: 'test', ...env })
  const email = 'grace@example.com'
  const forwarded = { 'x-forwarded-for': '203.0.113.9' }
  const json = { email, transport: 'token' }
  const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json, headers: forwarded })
  const code = await codeFor(email)
  const verify = { headers: forwarded, json: { challenge_id, binding, code } }
  expect((await call('POST', '/api/auth/verify', 200, verify)).session.place).toBe(place)
})

test('the plans of a file are what is limited, and a file that does not fit stops the start in words', async () => {
  const file = join(newFolder(), 'plans.json')
  await Bun.write(file, JSON.stringify({ plans: { default: { caller: { read: { limit: 1, seconds: 60 } } } } }))
  const caller = await start({ LATCHKEY_RATE_LIMITS: file })
  const headers = bearer((await newSession(caller)).token)
  expect((await caller.send('GET', '/api/projects', { headers })).status).toBe(200)
  expect((await caller.send('GET', '/api/projects', { headers })).status).toBe(429)
  await stop()
  await Bun.write(file, '{}')
  await expect(start({ LATCHKEY_RATE_LIMITS: file })).rejects.toThrow('The plan file of LATCHKEY_RATE_LIMITS')
  await expect(start({ LATCHKEY_RATE_LIMITS: `${file}.gone` })).rejects.toThrow('cannot be read')
})
