// A right that ends between the judging of a request and its change: the change is not made, and the answer says why.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type Client, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

/** Sends it, and lets the batch that leaves that trace through only once `meanwhile` has happened. */
const answerAfter = async (
  send: () => Promise<{ status: number }>,
  meanwhile: () => Promise<unknown>,
  action = 'project.created',
) => {
  const { batch } = t.db
  let isFirst = true
  t.db.batch = async (...given: Parameters<typeof batch>) => {
    const isHeld = isFirst && given[0].some(({ args }) => args.includes(action))
    if (isHeld) {
      isFirst = false
      await meanwhile()
    }
    return batch(...given)
  }
  const { status } = await send()
  t.db.batch = batch
  expect(isFirst).toBe(false)
  return status
}

const create = (who: Client, name: string) => () => who.post('/api/projects', { name })
const names = async (who: Client) => (await who.get('/api/projects')).body.data.map((p: { name: string }) => p.name)

/** A second admin of the founder's workspace, signed in twice. */
const newAdmin = async (founder: Client) => {
  const second = await t.as('member')
  expect((await founder.patch(`/api/members/${second.userId}`, { role: 'admin' })).status).toBe(200)
  const again = await t.signIn(second.email)
  return { second, again, path: `/api/members/${second.userId}` }
}

test('a role, a membership or a session that ends meanwhile makes nothing', async () => {
  const founder = await t.as('admin')
  const { second, again, path } = await newAdmin(founder)
  expect(await answerAfter(create(second, 'stands'), () => founder.post('/api/projects', { name: 'other' }))).toBe(201)
  const demoted = () => founder.patch(path, { role: 'member' })
  expect(await answerAfter(create(second, 'demoted'), demoted)).toBe(403)
  await founder.patch(path, { role: 'admin' })
  expect(await answerAfter(create(second, 'restored'), async () => {})).toBe(201)
  const signedOut = () => again.post('/api/sessions/revoke', { which: 'others' })
  expect(await answerAfter(create(second, 'signed out'), signedOut)).toBe(401)
  const still = t.clientOf({ ...again.headers, 'x-workspace-id': founder.workspace.id })
  expect(await answerAfter(create(still, 'removed'), () => founder.delete(path))).toBe(404)
  expect(await names(founder)).toEqual(expect.arrayContaining(['stands', 'other', 'restored']))
  for (const name of ['demoted', 'signed out', 'removed']) expect(await names(founder)).not.toContain(name)
})

test('a key that ends meanwhile makes nothing, however it ends', async () => {
  const founder = await t.as('admin')
  const newKey = async () => {
    const { body } = await founder.post('/api/keys', { name: 'k' })
    return { path: `/api/keys/${body.id}`, client: t.clientOf({ authorization: `Bearer ${body.token}` }) }
  }
  const [revoked, rotated, other] = [await newKey(), await newKey(), await newKey()]
  expect(await answerAfter(create(other.client, 'stands'), () => founder.delete(revoked.path))).toBe(201)
  expect(await answerAfter(create(other.client, 'revoked'), () => founder.delete(other.path))).toBe(401)
  const rotation = () => founder.post(`${rotated.path}/rotate`, { grace_seconds: 0 })
  expect(await answerAfter(create(rotated.client, 'rotated'), rotation)).toBe(401)
  expect(await names(founder)).not.toEqual(expect.arrayContaining(['revoked']))
  expect(await names(founder)).not.toEqual(expect.arrayContaining(['rotated']))
})

test('nor does anybody in a workspace that is deleted meanwhile', async () => {
  const founder = await t.as('admin')
  const named = t.clientOf({ ...founder.headers, 'x-workspace-id': founder.workspace.id })
  const closed = () => founder.delete(`/api/workspaces/${founder.workspace.id}`)
  expect(await answerAfter(create(named, 'late'), closed)).toBe(404)
})

test('who keeps the right under a lesser role is told to send it again, under a higher one nothing', async () => {
  const founder = await t.as('admin')
  const { second, path } = await newAdmin(founder)
  const leave = () => second.delete(path)
  const raised = await t.as('member')
  const raise = () => founder.patch(`/api/members/${raised.userId}`, { role: 'admin' })
  expect(await answerAfter(() => raised.delete(`/api/members/${raised.userId}`), raise, 'member.left')).toBe(204)
  expect(await answerAfter(leave, () => founder.patch(path, { role: 'viewer' }), 'member.left')).toBe(409)
  expect((await leave()).status).toBe(204)
})
