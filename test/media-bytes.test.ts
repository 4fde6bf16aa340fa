// Bytes sent within a time: so many for a caller and for a workspace, by their plan; what was begun is finished.
import { afterEach, expect, test } from 'bun:test'
import type { Plan, Plans } from '../src/limits'
import { type Client, type TestApp, testApp } from './support'

let t: TestApp
afterEach(() => t.stop())

const start = async (bytes: Plan['bytes'], streams: Plan['streams'] = {}) => {
  const plans: Plans = { address: {}, plans: { default: { workspace: {}, caller: {}, quotas: {}, bytes, streams } } }
  t = await testApp({ ports: { plans }, env: { LATCHKEY_RATE_LIMITS: 'default' } })
  const admin = await t.as('admin')
  const raw = Buffer.alloc(1000)
  const made = (await (await t.fetch('POST', '/api/media', { headers: admin.headers, raw })).json()) as { url: string }
  const read = async (who: Client, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await t.fetch(method, made.url, { headers: { ...who.headers, ...headers } })
    return [response.status, (await response.arrayBuffer()).byteLength, response.headers.get('retry-after')] as const
  }
  return { admin, read, url: made.url }
}

test('a caller who has used theirs up waits, others do not, and what uses it up is sent whole', async () => {
  const { admin, read } = await start({ caller: { limit: 1500, windowMs: 60_000 } })
  const member = await t.as('member')
  expect(await read(admin)).toEqual([200, 1000, null])
  expect(await read(admin)).toEqual([200, 1000, null])
  const [status, , after] = await read(admin)
  expect([status, Number(after) > 0]).toEqual([429, true])
  expect(await read(member)).toEqual([200, 1000, null])
  // Overdrawn by 500 of 1500 a minute.
  t.clock.advance(19_000)
  expect((await read(admin))[0]).toBe(429)
  t.clock.advance(2000)
  expect((await read(admin))[0]).toBe(200)
})

test('whoever is refused is told how it stands, and that for too many at once is charged nothing', async () => {
  const { admin, read, url } = await start({ caller: { limit: 2000, windowMs: 60_000 } }, { caller: 1 })
  const ask = () => t.fetch('GET', url, { headers: admin.headers })
  const [one, other] = await Promise.all([ask(), ask()])
  expect([one.status, other.status]).toEqual([200, 429])
  expect([other.headers.get('retry-after'), other.headers.get('ratelimit-policy')]).toEqual(['5', null])
  await one.body?.cancel()
  expect(await read(admin)).toEqual([200, 1000, null])
  const { headers } = await ask()
  expect([headers.get('retry-after'), headers.get('ratelimit')]).toEqual(['1', '"user";r=0;t=1'])
  expect(headers.get('ratelimit-policy')).toBe('"user";q=2000;w=60;qu="content-bytes"')
})

test('a workspace has one for all of its callers', async () => {
  const { admin, read } = await start({ workspace: { limit: 1000, windowMs: 60_000 } })
  const member = await t.as('member')
  expect((await read(admin))[0]).toBe(200)
  expect((await read(member))[0]).toBe(429)
})

test('only what is sent counts: a range its bytes, a HEAD and a 304 none; no plan, no bound', async () => {
  const { admin, read } = await start({ caller: { limit: 1000, windowMs: 60_000 } })
  for (let i = 0; i < 9; i++) expect(await read(admin, { range: 'bytes=0-99' })).toEqual([206, 100, null])
  for (let i = 0; i < 9; i++) expect((await read(admin, {}, 'HEAD'))[0]).toBe(200)
  expect((await read(admin, { range: 'bytes=0-99' }))[0]).toBe(206)
  expect((await read(admin, { range: 'bytes=0-0' }))[0]).toBe(429)
  await t.stop()
  const free = await start(undefined)
  for (let i = 0; i < 20; i++) expect((await free.read(free.admin))[0]).toBe(200)
})
