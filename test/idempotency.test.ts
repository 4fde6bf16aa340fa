// A request that is sent again makes one thing, and says so; nobody else's key has anything to do with it.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { idempotencyKeys } from '../db/schema'
import { type TestApp, testApp } from './support'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['signIn']>>
const day = 86_400_000
const again = { headers: { 'idempotency-key': 'k-1' } }

beforeEach(async () => {
  t = await testApp()
  admin = await t.signIn('ada@example.com')
})
afterEach(() => t.stop())

const makers = {
  projects: ['/api/projects', { name: 'One' }, { name: 'Two' }],
  workspaces: ['/api/workspaces', { name: 'One' }, { name: 'Two' }],
  invitations: [
    '/api/invitations',
    { email: 'bob@example.com', role: 'member' },
    { email: 'eve@example.com', role: 'member' },
  ],
} as const

test.each(Object.entries(makers))(
  'the same request for %s answers the same thing, and makes it once',
  async (_area, given) => {
    const [path, body] = given
    const bodyOf = async () => (await admin.get(path)).body.data.length
    const first = await admin.post(path, body, again)
    expect(first.status).toBe(201)
    const count = await bodyOf()
    const second = await admin.post(path, body, again)
    expect([second.status, second.body]).toEqual([201, first.body])
    expect(await bodyOf()).toBe(count)
    expect((await admin.post(path, given[2])).status).toBe(201)
    expect(await bodyOf()).toBe(count + 1)
  },
)

test.each(Object.entries(makers))(
  'the same key with another body for %s is a conflict',
  async (_area, [path, body, other]) => {
    await admin.post(path, body, again)
    const answer = await admin.post(path, other, again)
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict'])
  },
)

test('a key is not shown twice, and is made once', async () => {
  const { body: made, status } = await admin.post('/api/keys', { name: 'ci' }, again)
  expect(status).toBe(201)
  const answer = await admin.post('/api/keys', { name: 'ci' }, again)
  expect([answer.status, answer.body.code]).toEqual([409, 'already_shown'])
  expect(JSON.stringify(answer.body)).not.toContain(made.token)
  expect((await admin.get('/api/keys')).body.data).toHaveLength(1)
  const rotate = () => admin.post(`/api/keys/${made.id}/rotate`, {}, again)
  expect([(await rotate()).status, (await rotate()).body.code]).toEqual([201, 'already_shown'])
})

test('it answers the thing as it is now, and not_found once it is gone', async () => {
  const { body: made } = await admin.post('/api/projects', { name: 'One' }, again)
  await admin.patch(`/api/projects/${made.id}`, { name: 'Renamed' })
  expect((await admin.post('/api/projects', { name: 'One' }, again)).body.name).toBe('Renamed')
  await admin.delete(`/api/projects/${made.id}`)
  expect((await admin.post('/api/projects', { name: 'One' }, again)).status).toBe(404)
})

test('access is asked again', async () => {
  const member = await t.as('admin')
  const bob = await t.signIn('bob@example.com')
  await t.join(member.workspace.id, bob.userId, 'admin')
  const headers = { ...again.headers, 'x-workspace-id': member.workspace.id }
  expect((await bob.post('/api/projects', { name: 'One' }, { headers })).status).toBe(201)
  await member.patch(`/api/members/${bob.userId}`, { role: 'viewer' })
  expect((await bob.post('/api/projects', { name: 'One' }, { headers })).status).toBe(403)
})

test('another person, another workspace and another route have keys of their own', async () => {
  const eve = await t.signIn('eve@example.com')
  const [hers, mine] = [
    await eve.post('/api/projects', { name: 'One' }, again),
    await admin.post('/api/projects', { name: 'One' }, again),
  ]
  expect([hers.status, mine.status]).toEqual([201, 201])
  expect(hers.body.id).not.toBe(mine.body.id)
  expect((await admin.post('/api/invitations', makers.invitations[1], again)).status).toBe(201)
})

test('in another project it is another request: a conflict, whether the project is named or the default one', async () => {
  const { body: other } = await admin.post('/api/projects', { name: 'Other' })
  const begin = (project?: string) => {
    const named = project === undefined ? {} : { 'x-project-id': project }
    const headers = { ...again.headers, ...named, 'tus-resumable': '1.0.0', 'upload-length': '13' }
    return t.fetch('POST', '/api/uploads', { headers: { ...admin.headers, ...headers } })
  }
  const first = await begin()
  expect(first.status).toBe(201)
  for (const project of [other.id, 'other']) {
    const answer = await begin(project)
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([409, 'conflict'])
  }
  for (const project of [undefined, 'default', admin.workspace.default_project_id]) {
    const same = await begin(project)
    expect([same.status, same.headers.get('location')]).toEqual([201, first.headers.get('location')])
  }
})

test('what failed is not remembered: it may be sent again as it should have been', async () => {
  await admin.post('/api/projects', { name: 'One', slug: 'one' })
  expect((await admin.post('/api/projects', { name: 'Two', slug: 'one' }, again)).status).toBe(409)
  expect((await admin.post('/api/projects', { name: 'Two', slug: 'two' }, again)).status).toBe(201)
})

test('of 20 at once one makes it and all get it', async () => {
  const sent = Array.from({ length: 20 }, () => admin.post('/api/projects', { name: 'One' }, again))
  const answers = await Promise.all(sent)
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
  expect(answers[0]!.status).toBe(201)
})

test('after a day it is forgotten, row and all', async () => {
  const rows = () => t.db.acrossTenants('a test looks at everything', (orm) => orm.select().from(idempotencyKeys).all())
  const { body: first } = await admin.post('/api/workspaces', { name: 'One' }, again)
  t.clock.advance(day)
  const { body: second } = await admin.post('/api/workspaces', { name: 'One' }, again)
  expect(second.id).not.toBe(first.id)
  expect((await rows()).map((row) => row.madeId)).toEqual([second.id])
})

test.each(['', 'é', 'a b', 'x'.repeat(256)])('%p is no key', async (key) => {
  const answer = await admin.post('/api/projects', { name: 'One' }, { headers: { 'idempotency-key': key } })
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid'])
})
