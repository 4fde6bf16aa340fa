// Refusals on record: bounded in number, none lost for a failed write, none displaced by whoever is refused a lot.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const flush = () => t.app.services.denials.flush()
type Change = { status?: number; route?: string; times?: number; uncounted?: number }
const recorded = () => {
  const file = new Libsql(t.path, { readonly: true })
  const rows = file
    .prepare("select chain, actor_id as actor, change from audit_events where action = 'access.denied' order by rowid")
    .all() as { chain: string; actor: string | null; change: string }[]
  file.close()
  return rows.map(({ change, ...row }) => ({ ...row, change: JSON.parse(change) as Change }))
}
/** Refused at so many routes. */
const roam = async (ask: (target: string) => Promise<{ status: number }>, count: number) => {
  const targets = [
    ...['keys', 'keys/key_1', 'members', 'audit', 'audit/verify', 'invitations', 'projects', 'sessions', 'devices'],
    ...['media', 'me', 'whoami', 'usage', 'usage/quotas', 'workspaces', 'operator/health', 'operator/plans'],
    ...['operator/workspaces', 'account/export', 'invitations/offers'],
  ]
  for (const target of targets.slice(0, count)) await ask(`/api/${target}`)
}

test('a refusal is on record with who, where and which route: the first at once, those of ten minutes together', async () => {
  const viewer = await t.as('viewer')
  for (let i = 0; i < 5; i++) expect((await viewer.post('/api/projects', { name: 'x' })).status).toBe(403)
  for (let i = 0; i < 300; i++) await t.call('GET', '/api/me', { headers: { authorization: `Bearer x${i}` } })
  const denials = t.app.services.denials
  await denials.flush()
  t.clock.advance(10 * 60_000)
  await denials.flush()
  t.clock.advance(1)
  expect((await viewer.post('/api/projects', { name: 'x' })).status).toBe(403)
  await denials.flush()
  const { data } = (await (await t.signIn('founder@example.com')).get('/api/audit?action=access.denied')).body
  const told = (times: number) => ({ method: 'POST', route: '/api/projects/', status: 403, times })
  const by = { type: 'user', id: viewer.userId }
  expect(data.map((e: Record<string, unknown>) => [e.outcome, e.actor, e.change])).toEqual([
    ['denied', by, told(1)],
    ['denied', by, told(4)],
    ['denied', by, told(1)],
  ])
  expect(data[0].client).toBe('203.0.113.0/24')
  const file = new Libsql(t.path, { readonly: true })
  const strangers = file.prepare(
    "select count(*) as n from audit_events where chain = 'instance' and action = 'access.denied'",
  )
  expect(strangers.get()).toMatchObject({ n: 2 })
  file.close()
})

test('a flood of refusals from everywhere leaves a bounded number of rows, and says how many it did not keep', async () => {
  const viewer = await t.as('viewer')
  const { denials } = t.app.services
  for (let i = 0; i < 500; i++)
    await t.call('GET', '/api/me', { headers: { authorization: 'Bearer x' }, from: `198.51.${i % 250}.${i >> 8}` })
  await denials.flush()
  expect((await viewer.post('/api/projects', { name: 'x' })).status).toBe(403)
  await denials.flush()
  const file = new Libsql(t.path, { readonly: true })
  const rows = file.prepare("select change from audit_events where action = 'access.denied' order by rowid").all()
  file.close()
  const changes = (rows as { change: string }[]).map(({ change }) => JSON.parse(change))
  expect(changes.filter(({ status }) => status === 401)).toHaveLength(10)
  expect(changes.find(({ uncounted }) => uncounted > 0)).toEqual({ uncounted: 480 })
  expect(changes.at(-1)).toMatchObject({ status: 403, times: 1 })
})

test('a stranger who asks twenty routes takes no room from those who are known, nor one of these from another', async () => {
  const [one, two] = [await t.as('viewer'), await t.as('viewer')]
  await roam((target) => t.call('GET', target, { headers: { authorization: 'Bearer x' } }), 20)
  for (const target of ['keys', 'members', 'audit', 'audit/verify', 'invitations', 'usage', 'operator/health'])
    await one.get(`/api/${target}`)
  expect((await two.get('/api/audit')).status).toBe(403)
  await flush()
  const of = (who: string | null) => recorded().filter(({ actor, change }) => actor === who && !change.uncounted).length
  expect([of(null), of(one.userId), of(two.userId)]).toEqual([10, 5, 1])
})

test('what could not be written is written the next time, and once', async () => {
  const viewer = await t.as('viewer')
  for (let i = 0; i < 3; i++) await viewer.get('/api/audit')
  for (let i = 0; i < 30; i++)
    await t.call('GET', '/api/me', { headers: { authorization: 'Bearer x' }, from: `198.51.${i}.1` })
  t.clock.advance(10 * 60_000)
  const { batch } = t.db
  let writes = 0
  t.db.batch = (...given) => (writes++ % 4 === 3 ? Promise.reject(new Error('away')) : batch(...given))
  let failed = 0
  for (let i = 0; i < 10; i++) await flush().catch(() => failed++)
  t.db.batch = batch
  expect(failed).toBeGreaterThan(2)
  const told = recorded()
  const of = (who: string | null) => told.filter(({ actor }) => actor === who).map(({ change }) => change.times)
  expect(of(viewer.userId)).toEqual([1, 2])
  expect(of(null).filter(Boolean)).toEqual(Array(10).fill(1))
  expect(told.flatMap(({ change }) => change.uncounted ?? [])).toEqual([20])
})

test('whoever is signed in and names a workspace or project that is not theirs leaves that in their own chain', async () => {
  const [ada, grace] = [await t.signIn('ada@example.com'), await t.signIn('grace@example.com')]
  const naming = { headers: { 'x-workspace-id': grace.workspace.id } }
  expect((await ada.get('/api/projects', undefined, naming)).status).toBe(404)
  expect((await ada.get('/api/media', undefined, { headers: { 'x-project-id': 'elsewhere' } })).status).toBe(404)
  expect((await ada.get(`/api/keys/key_${'a'.repeat(22)}`)).status).toBe(404)
  expect((await ada.get('/api/projects')).status).toBe(200)
  await flush()
  const [chain, actor] = [`user:${ada.userId}`, ada.userId]
  expect(recorded()).toEqual([
    { chain, actor, change: { method: 'GET', route: '/api/projects/', status: 404, times: 1 } as Change },
    { chain, actor, change: { method: 'GET', route: '/api/media', status: 404, times: 1 } as Change },
  ])
})
