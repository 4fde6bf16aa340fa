// Receipts for what was ended: asked for with `fence=all`, and else the answers are as they were.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const email = 'ada@example.com'
const receipt = () => ({
  revoked_at: new Date(t.clock.now()).toISOString(),
  this_node: 'immediate',
  other_nodes: { bound_ms: 0, confirmed: true },
})
type Person = Awaited<ReturnType<TestApp['signIn']>>
const sessionOf = async (who: Person) => {
  const { body } = await who.get('/api/sessions')
  return body.data.find(({ current }: { current: boolean }) => current).id as string
}

test('a session ends with a receipt where one is asked for', async () => {
  const [here, first, second] = [await t.signIn(email), await t.signIn(email), await t.signIn(email)]
  const ended = await here.delete(`/api/sessions/${await sessionOf(first)}?fence=all`)
  expect([ended.status, ended.body]).toEqual([200, receipt()])
  expect((await first.get('/api/me')).status).toBe(401)
  expect((await here.delete(`/api/sessions/${await sessionOf(second)}`)).status).toBe(204)
  expect((await second.get('/api/me')).status).toBe(401)
  expect((await here.delete(`/api/sessions/${await sessionOf(here)}?fence=some`)).status).toBe(422)
  expect((await here.get('/api/me')).status).toBe(200)
})

test('so do many at once, which are counted', async () => {
  const [here, there] = [await t.signIn(email), await t.signIn(email)]
  expect((await here.post('/api/sessions/revoke', { which: 'others' })).body).toEqual({ revoked: 1 })
  expect((await there.get('/api/me')).status).toBe(401)
  await t.signIn(email)
  const ended = await here.post('/api/sessions/revoke?fence=all', { which: 'all' })
  expect([ended.status, ended.body]).toEqual([200, { revoked: 2, ...receipt() }])
})

test('and a member’s role, and being one', async () => {
  const [admin, member] = [await t.as('admin'), await t.as('member')]
  const path = `/api/members/${member.userId}`
  const changed = await admin.patch(`${path}?fence=all`, { role: 'viewer' })
  expect(changed.body).toMatchObject({ role: 'viewer', ...receipt() })
  expect((await admin.patch(path, { role: 'member' })).body.other_nodes).toBeUndefined()
  const removed = await admin.delete(`${path}?fence=all`)
  expect([removed.status, removed.body]).toEqual([200, receipt()])
})
