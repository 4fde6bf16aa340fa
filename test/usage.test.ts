// Usage: every request is counted once, by day, project and key line, in memory, and no request waits for that.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { auditEvents, usage } from '../db/schema'
import type { Database } from '../src/ports'
import { type Client, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const day = 86_400_000
const flush = () => t.app.services.usage.flush()
const usageOf = async (who: Client, query = '') => {
  await flush()
  const { status, body } = await who.get(`/api/usage${query}`)
  return status === 200 ? body.data : status
}
const newKey = async (admin: Client, input = {}) => {
  const { body } = await admin.post('/api/keys', { name: 'k', ...input })
  return { id: body.id as string, ...t.clientOf({ authorization: `Bearer ${body.token}` }) }
}

test('requests are told by day, project and key, newest day first; a rotated key goes on in its line', async () => {
  const admin = await t.signIn('ada@example.com')
  const { body: other } = await admin.post('/api/projects', { name: 'Other' })
  const project_id = admin.workspace.default_project_id
  const key = await newKey(admin)
  await key.get('/api/whoami')
  await key.get('/api/whoami', undefined, { headers: { 'x-project-id': other.id } })
  const { body: next } = await admin.post(`/api/keys/${key.id}/rotate`, { grace_seconds: 2 * 86_400 })
  t.clock.advance(day)
  await key.get('/api/whoami')
  await t.clientOf({ authorization: `Bearer ${next.token}` }).get('/api/whoami')
  const today = '2030-01-02'
  const line = await usageOf(admin, `?key_id=${key.id}`)
  const [row, one] = [
    { key_id: key.id, refused: 0 },
    { key_id: key.id, requests: 1, refused: 0 },
  ]
  expect(line[0]).toEqual({ day: today, project_id, requests: 2, ...row })
  expect(
    line
      .slice(1)
      .map((r: { project_id: string }) => r.project_id)
      .sort(),
  ).toEqual([other.id, project_id].sort())
  expect(line[1]).toMatchObject({ day: '2030-01-01', ...one })
  expect(await usageOf(admin, `?key_id=${key.id}&project_id=${other.id}`)).toEqual([
    { day: '2030-01-01', project_id: other.id, ...one },
  ])
  expect((await usageOf(admin, `?key_id=${key.id}&from=${today}`)).length).toBe(1)
  expect((await usageOf(admin, `?key_id=${key.id}&to=2030-01-01`)).length).toBe(2)
  const people = await usageOf(admin, `?from=${today}`)
  expect(people.some((r: { key_id: string | null }) => r.key_id === null)).toBe(true)
  const { body: page } = await admin.get(`/api/usage?key_id=${key.id}&limit=2`)
  const { body: rest } = await admin.get(`/api/usage?key_id=${key.id}&limit=2&cursor=${page.next_cursor}`)
  expect([page.data.length, rest.data.length, rest.next_cursor]).toEqual([2, 1, null])
})

test('nobody sees the usage of another workspace, nor who is no admin that of their own', async () => {
  const [admin, viewer, other] = [await t.as('admin'), await t.as('viewer'), await t.signIn('grace@example.com')]
  const key = await newKey(admin)
  await key.get('/api/whoami')
  const { id } = key
  expect((await usageOf(admin, `?key_id=${id}`)).length).toBe(1)
  expect(await usageOf(other, `?key_id=${id}`)).toEqual([])
  expect(JSON.stringify(await usageOf(other))).not.toContain(admin.workspace.default_project_id)
  expect(await usageOf(viewer)).toBe(403)
  expect(await usageOf(await newKey(admin, { level: 'delete' }))).toBe(403)
  expect((await usageOf(await newKey(admin))).length).toBeGreaterThan(0)
})

test('asked for within one project it is that of this project alone', async () => {
  const admin = await t.as('admin')
  const { body: other } = await admin.post('/api/projects', { name: 'Other' })
  const within = { headers: { ...admin.headers, 'x-project-id': other.id } }
  const projectsOf = async (who: Client) => [
    ...new Set((await usageOf(who)).map((row: { project_id: string }) => row.project_id)),
  ]
  await admin.get('/api/whoami', undefined, within)
  expect((await projectsOf(admin)).sort()).toEqual([other.id, admin.workspace.default_project_id].sort())
  expect(await projectsOf(t.clientOf(within.headers))).toEqual([other.id])
})

test('a request writes nothing; what is noted is written each minute and when the program stops, and leaves no audit row', async () => {
  const admin = await t.signIn('ada@example.com')
  const key = await newKey(admin)
  const count = async (db: Database) => (await db.orm.select().from(usage).where(eq(usage.keyId, key.id))).length
  const all = <T>(read: (db: Database) => T): T =>
    t.db.acrossTenants('a test looks at every workspace', (orm) => read({ orm } as Database))
  const events = () => all(async ({ orm }) => (await orm.select().from(auditEvents)).length)
  const before = await events()
  await key.get('/api/whoami')
  expect(await all(count)).toBe(0)
  await t.app.services.jobs.runNow('usage')
  expect([await all(count), await events()]).toEqual([1, before])
  t.clock.advance(day)
  await key.get('/api/whoami')
  await t.app.stop()
  expect(await all(count)).toBe(2)
})

test('what could not be written is counted with what came since', async () => {
  const admin = await t.signIn('ada@example.com')
  const key = await newKey(admin)
  await key.get('/api/whoami')
  const { batch } = t.db
  t.db.batch = () => Promise.reject(new Error('away'))
  await expect(flush()).rejects.toThrow('away')
  t.db.batch = batch
  await key.get('/api/whoami')
  expect((await usageOf(admin, `?key_id=${key.id}`))[0]).toMatchObject({ requests: 2, refused: 0 })
})

test('what was refused is told apart, and days older than 400 are forgotten', async () => {
  const plans = { address: {}, plans: { default: { workspace: {}, caller: {}, quotas: { requests: 4 } } } }
  const limited = await testApp({ ports: { plans } })
  const admin = await limited.signIn('ada@example.com')
  for (let i = 0; i < 5; i++) await admin.get('/api/projects')
  const rows = () =>
    limited.db.acrossTenants('a test looks at every workspace', (orm) => orm.select().from(usage).all())
  await limited.app.services.usage.flush()
  expect(await rows()).toMatchObject([{ requests: 6, refused: 2, keyId: null }])
  limited.clock.advance(400 * day)
  await limited.app.services.usage.sweep()
  expect((await rows()).length).toBe(1)
  limited.clock.advance(day)
  await limited.app.services.usage.sweep()
  expect((await rows()).length).toBe(0)
  await limited.stop()
})
