// The life of a key: where it may be used from, rotation with grace, leaks, disuse, and its maker's leaving.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { newKeyToken } from '../src/lib/key-token'
import { type Json, type TestApp, testApp } from './support'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
const day = 86_400_000

beforeEach(async () => {
  t = await testApp()
  admin = await t.as('admin')
})
afterEach(() => t.stop())

const newKey = async (input: Json = {}, who = admin) => {
  const { body } = await who.post('/api/keys', { name: 'key', ...input })
  return { ...t.clientOf({ authorization: `Bearer ${body.token}` }), ...(body as { id: string; token: string }) }
}
const whoami = (token: string, from?: string) =>
  t.call('GET', '/api/whoami', { headers: { authorization: `Bearer ${token}` }, ...(from !== undefined && { from }) })
const statusOf = async (token: string, from?: string) => (await whoami(token, from)).status
const find = async (id: string): Promise<Json> => (await t.signIn('founder@example.com')).get(`/api/keys/${id}`)
const events = async (action: string): Promise<Json[]> =>
  (await (await t.signIn('founder@example.com')).get(`/api/audit?action=${action}`)).body.data

test('a key is taken from its networks alone, at each request and also when it is cached', async () => {
  const { token } = await newKey({ ip_allow: ['198.51.100.0/24', '2001:db8::/32', '203.0.113.9'] })
  for (const from of ['198.51.100.7', '203.0.113.9', '2001:db8:1::1', '::ffff:198.51.100.7'])
    expect([from, await statusOf(token, from)]).toEqual([from, 200])
  for (const from of ['203.0.113.7', '198.51.101.7', '2001:db9::1', '', 'unknown'])
    expect([from, await statusOf(token, from)]).toEqual([from, 401])
  expect(await statusOf(token, '198.51.100.7')).toBe(200)
})

test('networks are changed by a person who just signed in, count at once, and no key widens its own', async () => {
  const key = await newKey({ ip_allow: ['203.0.113.0/24'] })
  expect(await key.patch(`/api/keys/${key.id}`, { ip_allow: null })).toMatchObject({ status: 403 })
  expect((await admin.patch(`/api/keys/${key.id}`, { ip_allow: ['198.51.100.0/24'] })).body.ip_allow).toEqual([
    '198.51.100.0/24',
  ])
  expect(await statusOf(key.token)).toBe(401)
  t.clock.advance(11 * 60_000)
  expect((await admin.patch(`/api/keys/${key.id}`, { ip_allow: null })).body.code).toBe('step_up_required')
  expect((await admin.patch(`/api/keys/${key.id}`, { name: 'renamed' })).status).toBe(200)
})

test('networks that are none are refused', async () => {
  for (const ip_allow of [[], ['x'], ['10.0.0.0/33'], ['10.0.0.0/8', 'fe80::1%eth0'], ['2001:db8::/129'], '10.0.0.0/8'])
    expect([ip_allow, (await admin.post('/api/keys', { name: 'k', ip_allow })).status]).toEqual([ip_allow, 422])
})

test('missing, malformed, unknown, revoked, expired, displaced and shut-out keys are answered alike, byte for byte', async () => {
  const [revoked, expired, displaced, live] = [
    await newKey(),
    await newKey({ expires_at: new Date(t.clock.now() + 1000).toISOString() }),
    await newKey({ ip_allow: ['192.0.2.1'] }),
    await newKey(),
  ]
  await admin.delete(`/api/keys/${revoked.id}`)
  t.clock.advance(1000)
  const tokens = [revoked.token, expired.token, displaced.token, newKeyToken('ml', 'live'), 'ml_live_x', 'x', '']
  const answers = [await t.call('GET', '/api/whoami')]
  for (const token of [...tokens, `${live.token}0`, live.token.replace('live', 'test')])
    answers.push(await whoami(token))
  const seen = answers.map(({ status, headers, body }) => {
    const told = [...headers].filter(([name]) => !['x-request-id', 'content-length'].includes(name)).sort()
    return JSON.stringify([status, told, { ...body, request_id: '' }])
  })
  expect(new Set(seen).size).toBe(1)
  expect(seen[0]).toContain('401')
  expect(await statusOf(live.token)).toBe(200)
})

test('a rotated key goes on for its grace and no longer; its successor has the same rights and line', async () => {
  const input = { level: 'write', environment: 'test', projects: [admin.workspace.default_project_id] }
  const old = await newKey({ ...input, ip_allow: ['203.0.113.0/24'] })
  expect(await statusOf(old.token)).toBe(200)
  const { body: next, status } = await admin.post(`/api/keys/${old.id}/rotate`, { grace_seconds: 60 })
  expect([status, next]).toMatchObject([201, { ...input, lineage: old.id, name: 'key', ip_allow: ['203.0.113.0/24'] }])
  expect([await statusOf(old.token), await statusOf(next.token)]).toEqual([200, 200])
  t.clock.advance(59_999)
  expect(await statusOf(old.token)).toBe(200)
  t.clock.advance(1)
  expect([await statusOf(old.token), await statusOf(next.token)]).toEqual([401, 200])
  expect((await admin.post(`/api/keys/${old.id}/rotate`, {})).status).toBe(409)
  const third = (await admin.post(`/api/keys/${next.id}/rotate`, {})).body
  expect(third.lineage).toBe(old.id)
  expect([await statusOf(next.token), await statusOf(third.token)]).toEqual([401, 200])
})

test('rotation never lengthens a life: the old end stays if it is sooner, and the new one lives as long as the old was meant to', async () => {
  const soon = await newKey({ expires_at: new Date(t.clock.now() + 30_000).toISOString() })
  t.clock.advance(10_000)
  const { body } = await admin.post(`/api/keys/${soon.id}/rotate`, { grace_seconds: 604_800 })
  expect(body.expires_at).toBe(new Date(t.clock.now() + 30_000).toISOString())
  t.clock.advance(20_000)
  expect([await statusOf(soon.token), await statusOf(body.token)]).toEqual([401, 200])
})

test('a key is rotated once, also by two at once; by no key, and by nobody who signed in long ago', async () => {
  const old = await newKey()
  const both = await Promise.all([1, 2].map(() => admin.post(`/api/keys/${old.id}/rotate`, { grace_seconds: 60 })))
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409])
  const key = await newKey()
  expect((await key.post(`/api/keys/${key.id}/rotate`, {})).status).toBe(403)
  expect((await admin.post(`/api/keys/${key.id}/rotate`, { grace_seconds: 604_801 })).status).toBe(422)
  await admin.delete(`/api/keys/${key.id}`)
  expect((await admin.post(`/api/keys/${key.id}/rotate`, {})).status).toBe(409)
  t.clock.advance(11 * 60_000)
  expect((await admin.post(`/api/keys/${old.id}/rotate`, {})).body.code).toBe('step_up_required')
})

test('a found key is its own proof: it ends, and the answer is the same for anything else', async () => {
  const key = await newKey()
  expect(await statusOf(key.token)).toBe(200)
  const report = (token: string) => t.call('POST', '/api/leaks', { body: { token } })
  const answers = []
  for (const token of [newKeyToken('ml', 'live'), 'nonsense', '', key.token, key.token])
    answers.push(await report(token))
  expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [202, { status: 'taken' }]))
  expect(await statusOf(key.token)).toBe(401)
  expect((await find(key.id)).body.status).toBe('revoked')
  expect((await events('key.leaked')).map((e) => [e.actor.type, e.targets])).toEqual([['nobody', [key.id]]])
})

test('a found key ends also while it is suspended, or its workspace is being deleted: neither brings it back to life', async () => {
  const [suspended, other, deleted] = [await newKey(), await newKey(), await newKey()]
  const report = (token: string) => t.call('POST', '/api/leaks', { body: { token } })
  const file = new Libsql(t.path)
  file.prepare('update api_keys set suspended_at = 1 where id in (?, ?)').run(suspended.id, other.id)
  file.close()
  expect((await report(suspended.token)).status).toBe(202)
  expect(await t.app.services.hygiene.confirm(null)).toBe(1)
  expect([await statusOf(suspended.token), await statusOf(other.token)]).toEqual([401, 200])
  const place = `/api/workspaces/${admin.workspace.id}`
  expect((await admin.delete(place)).status).toBe(200)
  t.clock.advance(1)
  expect((await report(deleted.token)).status).toBe(202)
  expect((await admin.post(`${place}/restore`)).status).toBe(200)
  expect([await statusOf(deleted.token), await statusOf(other.token)]).toEqual([401, 200])
  const { body } = await admin.get('/api/audit?action=key.leaked', undefined, {
    headers: { 'x-workspace-id': admin.workspace.id },
  })
  expect(body.data.map((event: Json) => event.targets)).toEqual([[deleted.id], [suspended.id]])
})

test('a key that nobody uses is told of once after 90 days and ends after 365; one in use is left alone', async () => {
  const [unused, used] = [await newKey(), await newKey()]
  const { endUnused } = t.app.services.hygiene
  t.clock.advance(91 * day)
  await statusOf(used.token)
  await t.app.services.keys.flushUsed()
  await endUnused()
  await endUnused()
  expect((await events('key.unused')).map((e) => e.targets)).toEqual([[unused.id]])
  expect(await statusOf(unused.token)).toBe(200)
  t.clock.advance(364 * day)
  await t.app.services.keys.flushUsed()
  await statusOf(used.token)
  await t.app.services.keys.flushUsed()
  t.clock.advance(2 * day)
  await endUnused()
  expect([await statusOf(unused.token), await statusOf(used.token)]).toEqual([401, 200])
  expect((await find(unused.id)).body.status).toBe('revoked')
})

test('of a key that nobody uses its keepers are told once each time it falls out of use, and of an expired one never', async () => {
  const key = await newKey()
  await newKey({ expires_at: new Date(t.clock.now() + 30 * day).toISOString() })
  const { endUnused } = t.app.services.hygiene
  const toldAfter = async (days: number) => {
    t.clock.advance(days * day)
    await endUnused()
    return (await events('key.unused')).map((e) => e.targets)
  }
  expect(await toldAfter(91)).toEqual([[key.id]])
  expect(await toldAfter(91)).toEqual([[key.id]])
  expect(await toldAfter(91)).toEqual([[key.id]])
  expect(await statusOf(key.token)).toBe(200)
  expect(await toldAfter(89)).toEqual([[key.id]])
  expect(await toldAfter(2)).toEqual([[key.id], [key.id]])
})

test('a key does not end for disuse once it is used, not even in the last minute or while its turn comes', async () => {
  const [noted, elsewhere, unused] = [await newKey(), await newKey(), await newKey()]
  t.clock.advance(366 * day)
  expect(await statusOf(noted.token)).toBe(200)
  const { batch } = t.db
  t.db.batch = async (...given: Parameters<typeof batch>) => {
    if (given[0].some(({ args }) => args.includes('key.revoked'))) {
      t.db.batch = batch
      const file = new Libsql(t.path)
      file.prepare('update api_keys set last_used_at = ? where id = ?').run(t.clock.now(), elsewhere.id)
      file.close()
    }
    return batch(...given)
  }
  await t.app.services.hygiene.endUnused()
  expect(await Promise.all([noted, elsewhere, unused].map(({ token }) => statusOf(token)))).toEqual([200, 200, 401])
  expect((await events('key.revoked')).map((e) => e.targets)).toEqual([[unused.id]])
})

test('a key outlives its maker, unless whoever removes them says otherwise', async () => {
  const made = async () => {
    const maker = await t.as('member')
    await admin.patch(`/api/members/${maker.userId}`, { role: 'admin' })
    return { maker, keys: [await newKey({}, maker), await newKey({}, maker)] }
  }
  const [kept, ended, own] = [await made(), await made(), await newKey()]
  for (const { token } of [...kept.keys, ...ended.keys]) expect(await statusOf(token)).toBe(200)
  expect((await admin.delete(`/api/members/${kept.maker.userId}`)).status).toBe(204)
  expect((await admin.delete(`/api/members/${ended.maker.userId}?revoke_keys=true`)).status).toBe(204)
  for (const { token } of kept.keys) expect(await statusOf(token)).toBe(200)
  for (const { token } of ended.keys) expect(await statusOf(token)).toBe(401)
  expect(await statusOf(own.token)).toBe(200)
  const viewer = await t.as('viewer')
  expect((await viewer.delete(`/api/members/${viewer.userId}?revoke_keys=true`)).status).toBe(403)
  expect((await viewer.delete(`/api/members/${viewer.userId}`)).status).toBe(204)
})

test('a key for some projects is no admin: it needs a lesser level, and holds nothing of the workspace beyond', async () => {
  const projects = [admin.workspace.default_project_id]
  expect((await admin.post('/api/keys', { name: 'k', projects })).status).toBe(422)
  expect((await admin.post('/api/keys', { name: 'k', projects, level: 'admin' })).status).toBe(422)
  const key = await newKey({ projects, level: 'delete' })
  for (const target of ['/api/keys', '/api/members', '/api/audit']) expect((await key.get(target)).status).toBe(403)
  expect((await key.get('/api/media')).status).toBe(200)
})
