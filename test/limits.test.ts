// Rate limits: who is held to which, that a refusal is a 429 that says how long, and that it never reads a body.
import { afterEach, describe, expect, test } from 'bun:test'
import { createGcra } from '../src/lib/gcra'
import { defaultPlans, type Plans, parsePlans, uploadsAtOnce } from '../src/limits'
import { origin, type TestApp, testApp } from './support'

let t: TestApp
let stop: (() => Promise<void>) | undefined
afterEach(async () => {
  await stop?.()
  stop = undefined
})

const rates = (limit: number, windowMs = 60_000) => ({ limit, windowMs })
const start = async (plan: Partial<Plans['plans'][string]>, address: Plans['address'] = {}) => {
  const plans: Plans = { address, plans: { default: { workspace: {}, caller: {}, quotas: {}, ...plan } } }
  t = await testApp({ env: { LATCHKEY_RATE_LIMITS: 'default' }, ports: { plans } })
  stop = t.stop
  const admin = await t.signIn('ada@example.com')
  const newKey = async () => {
    const { body } = await admin.post('/api/keys', { name: 'k' })
    return { id: body.id as string, ...t.clientOf({ authorization: `Bearer ${body.token}` }) }
  }
  return { admin, newKey }
}
const statuses = async (times: number, ask: () => Promise<{ status: number }>) => {
  const seen: number[] = []
  for (let i = 0; i < times; i++) seen.push((await ask()).status)
  return seen
}

describe('GCRA', () => {
  test('lets the limit through at once, then one each interval, for each key alone', () => {
    let now = 0
    const gcra = createGcra(() => now)
    const take = (key = 'a') => gcra.take(key, rates(3, 3000)).isAllowed
    expect([take(), take(), take(), take(), take('b')]).toEqual([true, true, true, false, true])
    expect(gcra.take('a', rates(3, 3000))).toEqual({ isAllowed: false, remaining: 0, waitMs: 1000 })
    now = 999
    expect(take()).toBe(false)
    now = 1000
    expect([take(), take()]).toEqual([true, false])
    now = 60_000
    expect([take(), take(), take(), take()]).toEqual([true, true, true, false])
  })

  test('says how many are left, whatever the interval', () => {
    const gcra = createGcra(() => 0.1)
    const left = Array.from({ length: 7 }, () => gcra.take('a', rates(7, 1000)).remaining)
    expect(left).toEqual([6, 5, 4, 3, 2, 1, 0])
    expect(gcra.peek('a', rates(7, 1000)).isAllowed).toBe(false)
    expect(gcra.peek('b', rates(7, 1000)).isAllowed).toBe(true)
  })

  test('holds no more keys than it may, and a busy one outlives a crowd of others whose time has run out', () => {
    let now = 0
    const gcra = createGcra(() => now, 100)
    for (let i = 0; i < 5; i++) gcra.take('busy', rates(5, 1e9))
    for (let i = 0; i < 10_000; i++) {
      now += 1
      gcra.take(`other ${i}`, rates(10, 100))
      expect(gcra.size).toBeLessThanOrEqual(100)
    }
    expect(gcra.peek('busy', rates(5, 1e9)).isAllowed).toBe(false)
  })
})

describe('a caller over its limit', () => {
  test('gets a 429 that says when to come back, its body unread, and comes back then', async () => {
    const { newKey } = await start({ caller: { rights: rates(2) } })
    const key = await newKey()
    const rename = () => key.patch(`/api/keys/${key.id}`, { name: 'x' })
    expect(await statuses(2, rename)).toEqual([200, 200])
    let wasRead = false
    const pull = () => {
      wasRead = true
    }
    const raw = new ReadableStream({ pull }, { highWaterMark: 0 })
    const refused = await t.call('PATCH', `/api/keys/${key.id}`, {
      raw,
      headers: { ...key.headers, 'content-type': 'application/json' },
    })
    expect(refused.status).toBe(429)
    expect(refused.body).toMatchObject({ code: 'rate_limited', status: 429, request_id: expect.any(String) })
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.headers.get('retry-after')).toBe('30')
    expect(refused.headers.get('ratelimit')).toBe('"key";r=0;t=30')
    expect(refused.headers.get('ratelimit-policy')).toBe('"key";q=2;w=60')
    expect(wasRead).toBe(false)
    t.clock.advance(30_000)
    expect((await rename()).status).toBe(200)
  })

  test('is told before it comes to that, and not while there is plenty', async () => {
    const { newKey } = await start({ caller: { read: rates(8) } })
    const key = await newKey()
    const told: (string | null)[] = []
    for (let i = 0; i < 8; i++) told.push((await key.get('/api/whoami')).headers.get('ratelimit'))
    expect(told.slice(0, 6)).toEqual([null, null, null, null, null, null])
    expect(told.slice(6)).toEqual(['"key";r=1;t=53', '"key";r=0;t=60'])
  })

  test('holds back no other caller, and reading is counted apart from writing', async () => {
    const { admin, newKey } = await start({ caller: { read: rates(3) } })
    const [one, two] = [await newKey(), await newKey()]
    expect(await statuses(4, () => one.get('/api/whoami'))).toEqual([200, 200, 200, 429])
    expect((await one.patch(`/api/keys/${one.id}`, { name: 'x' })).status).toBe(200)
    expect((await two.get('/api/whoami')).status).toBe(200)
    expect((await admin.get('/api/whoami')).status).toBe(200)
  })

  test('stays over it with the key that rotation made', async () => {
    const { admin, newKey } = await start({ caller: { read: rates(3) } })
    const old = await newKey()
    const { body } = await admin.post(`/api/keys/${old.id}/rotate`, { grace_seconds: 3600 })
    const next = t.clientOf({ authorization: `Bearer ${body.token}` })
    expect(await statuses(2, () => old.get('/api/whoami'))).toEqual([200, 200])
    expect(await statuses(2, () => next.get('/api/whoami'))).toEqual([200, 429])
  })

  test('who lacks the permission is told that, and uses nothing up', async () => {
    const { admin } = await start({ caller: { read: rates(2) } })
    const { body } = await admin.post('/api/keys', { name: 'k', level: 'read' })
    const reader = t.clientOf({ authorization: `Bearer ${body.token}` })
    expect(await statuses(4, () => reader.get('/api/keys'))).toEqual([403, 403, 403, 403])
    expect(await statuses(3, () => reader.get('/api/whoami'))).toEqual([200, 200, 429])
  })
})

test('whoever stole a session or a key uses up nothing of what it takes to end it, and is held to a limit as well', async () => {
  const each = { write: rates(3), read: rates(3), rights: rates(4) }
  const { admin, newKey } = await start({ caller: each, workspace: { write: rates(5), read: rates(5) } })
  const stolen = await newKey()
  const thief = await t.signIn('ada@example.com')
  expect(await statuses(6, () => thief.get('/api/keys'))).toEqual([200, 200, 200, 200, 429, 429])
  expect(await statuses(6, () => stolen.patch(`/api/keys/${stolen.id}`, { name: 'x' }))).toContain(429)
  expect(await statuses(5, () => thief.get('/api/projects'))).toContain(429)

  const { body } = await admin.get('/api/sessions')
  const theirs = body.data.find(({ current }: { current: boolean }) => !current)
  expect((await admin.delete(`/api/keys/${stolen.id}`)).status).toBe(200)
  expect((await admin.delete(`/api/sessions/${theirs.id}`)).status).toBeLessThan(300)
  expect([(await thief.get('/api/keys')).status, (await stolen.get('/api/whoami')).status]).toEqual([401, 401])
})

test('a workspace is held to its limit over all of its callers, and holds back no other workspace', async () => {
  const { newKey } = await start({ workspace: { read: rates(4) } })
  const [one, two] = [await newKey(), await newKey()]
  const other = await t.signIn('grace@example.com')
  // The one before was the sign-in's own.
  expect(await statuses(2, () => one.get('/api/projects'))).toEqual([200, 200])
  const [third, fourth] = [await two.get('/api/projects'), await two.get('/api/projects')]
  expect([third.status, fourth.status]).toEqual([200, 429])
  expect(fourth.headers.get('ratelimit-policy')).toBe('"workspace";q=4;w=60')
  expect((await other.get('/api/projects')).status).toBe(200)
})

describe('an address', () => {
  const asking = (from: string) => t.call('POST', '/api/auth/resend', { from, body: { challenge_id: 'x' } })
  const isLimited = async (from: string) => (await asking(from)).status === 429

  test('is held to the limit of what needs no sign-in: an IPv4 alone, an IPv6 by its /64', async () => {
    await start({}, { auth: rates(2) })
    for (const [spent, same, other] of [
      ['198.51.100.1', '::ffff:198.51.100.1', '198.51.100.2'],
      ['2001:db8:1:2::1', '2001:0DB8:1:2:ffff::9', '2001:db8:1:3::1'],
    ] as const) {
      expect([await isLimited(spent), await isLimited(spent), await isLimited(same)]).toEqual([false, false, true])
      expect(await isLimited(other)).toBe(false)
    }
  })

  test('is held to that whoever asks: a key, a session and a cookie buy no more; another address goes on', async () => {
    const { admin, newKey } = await start({ caller: { read: rates(9), write: rates(9) } }, { auth: rates(3) })
    const key = await newKey()
    const leak = (headers: Record<string, string>, from: string) =>
      t.call('POST', '/api/leaks', { headers, from, body: { token: 'x' } })
    const cookie = { cookie: `session=${admin.token}`, origin }
    for (const [i, headers] of [key.headers, admin.headers, cookie, {}].entries()) {
      const from = `198.51.100.${i}`
      expect(await statuses(4, () => leak(headers, from))).toEqual([202, 202, 202, 429])
      expect((await leak({}, from)).headers.get('ratelimit-policy')).toBe('"address";q=3;w=60')
    }
    expect(await statuses(3, () => leak(key.headers, '198.51.100.9'))).toEqual([202, 202, 202])
    expect((await key.get('/api/whoami')).status).toBe(200)
  })

  test('whose credentials that were none are looked up together makes up for all of them', async () => {
    await start({}, { failures: rates(3) })
    const ask = () => t.call('GET', '/api/whoami', { headers: { authorization: `Bearer ${'a'.repeat(40)}` } })
    const answers = await Promise.all(Array.from({ length: 10 }, ask))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(401))
    t.clock.advance(20_000)
    expect((await ask()).status).toBe(429)
    t.clock.advance(60_000)
    expect((await ask()).status).toBe(401)
  })

  test('that keeps sending what is no credential gets 429 before anything is looked up; who is known there goes on', async () => {
    const { newKey } = await start({}, { failures: rates(3) })
    const [known, fresh] = [await newKey(), await newKey()]
    const ask = (headers: Record<string, string>, from?: string, target = '/api/whoami') =>
      t.call('GET', target, { headers, ...(from && { from }) })
    expect((await ask(known.headers)).status).toBe(200)
    const wrong = { authorization: `Bearer ${'a'.repeat(40)}` }
    expect(await statuses(3, () => ask(wrong))).toEqual([401, 401, 401])
    const refused = await ask(wrong)
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '20'])
    expect((await ask(fresh.headers)).status).toBe(429)
    expect((await ask(known.headers)).status).toBe(200)
    expect((await ask(wrong, undefined, '/v1/health')).status).toBe(200)
    expect((await ask(fresh.headers, '198.51.100.9')).status).toBe(200)
    t.clock.advance(20_000)
    expect((await ask(wrong)).status).toBe(401)
  })
})

test('what is read by a link counts for it and the workspace: its maker and other links read on', async () => {
  const { admin } = await start({ caller: { stream: rates(2) }, workspace: { stream: rates(7) } })
  const { body: file } = await admin.post('/api/media', undefined, { raw: 'bytes' })
  const newLink = async () => (await admin.post(`/api/media/${file.id}/links`, {})).body.url as string
  const read =
    (url: string, headers = {}) =>
    async () => {
      const response = await t.fetch('GET', url, { headers })
      await response.body?.cancel()
      return response
    }
  const [one, other] = [read(await newLink()), read(await newLink())]
  expect(await statuses(3, one)).toEqual([200, 200, 429])
  expect((await one()).headers.get('ratelimit-policy')).toBe('"link";q=2;w=60')
  expect(await statuses(3, read(`/media/${file.id}`, admin.headers))).toEqual([200, 200, 429])
  expect(await statuses(2, other)).toEqual([200, 200])
  const third = read(await newLink())
  expect((await third()).status).toBe(200)
  expect((await third()).headers.get('ratelimit-policy')).toBe('"workspace";q=7;w=60')
})

test('the default plans are within what a plan file may say, and none is held back where they are off', async () => {
  expect(Object.keys(defaultPlans.plans)).toEqual(['default'])
  const plans: Plans = { address: {}, plans: { default: { workspace: {}, caller: { read: rates(1) }, quotas: {} } } }
  t = await testApp({ ports: { plans } })
  stop = t.stop
  const admin = await t.signIn('ada@example.com')
  expect(await statuses(3, () => admin.get('/api/whoami'))).toEqual([200, 200, 200])
})

test.each([
  ['{', 'is not JSON'],
  ['{"plans":{}}', 'plans: one of the plans is "default"'],
  ['{"plans":{"default":{"caller":{"fly":{"limit":1,"seconds":1}}}}}', 'plans.default.caller'],
  ['{"plans":{"default":{"caller":{"read":{"limit":0,"seconds":1}}}}}', 'plans.default.caller.read.limit'],
  ['{"plans":{"default":{"quotas":{"bytes":1}}}}', 'plans.default.quotas'],
])('a plan file that says %s stops the start with a sentence', (text, says) => {
  expect(() => parsePlans(text)).toThrow(says)
  expect(parsePlans('{"plans":{"default":{"caller":{"read":{"limit":1,"seconds":2}}}}}').plans.default).toEqual({
    ...{ workspace: {}, caller: { read: rates(1, 2000) }, quotas: {} },
  })
})

test('the plan file that is documented is what holds without one', async () => {
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(await Bun.file('docs/limits.md').text()) ?? []
  const { address, plans } = defaultPlans
  expect(parsePlans(example)).toEqual({ address, plans: { default: { ...plans.default!, uploads: uploadsAtOnce } } })
})
