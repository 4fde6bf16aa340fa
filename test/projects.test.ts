// Projects: who enters a restricted one and with which role, from the very next request on; deleting one.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type Client, type Json, type TestApp, testApp } from './support'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
let member: Awaited<ReturnType<TestApp['as']>>
let viewer: Awaited<ReturnType<TestApp['as']>>
let secret: string

beforeEach(async () => {
  t = await testApp()
  admin = await t.as('admin')
  member = await t.as('member')
  viewer = await t.as('viewer')
  secret = (await admin.post('/api/projects', { name: 'Secret', restricted: true })).body.id
})
afterEach(() => t.stop())

const put = (who: Client, user: string, role: string, project = secret) =>
  who.put(`/api/projects/${project}/members/${user}`, { role })
const upload = (who: Client, project: string, header = 'x-project-id') =>
  who.post('/api/media', undefined, {
    raw: 'x',
    headers: { 'content-type': 'text/plain', 'x-file-name': 'a.txt', [header]: project },
  })
const ids = (answer: { body: Json }) => answer.body.data.map((it: { id: string }) => it.id)

test('only admins and its own members enter a restricted project, and it is nowhere to be seen for others', async () => {
  const file = (await upload(admin, secret)).body.id
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(404)
  expect(ids(await member.get('/api/projects'))).not.toContain(secret)
  expect((await member.get(`/media/${file}`)).status).toBe(404)
  expect((await upload(member, secret)).status).toBe(404)
  expect((await put(admin, member.userId, 'member')).status).toBe(200)
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(200)
  expect(ids(await member.get('/api/projects'))).toContain(secret)
  expect((await t.fetch('GET', `/media/${file}`, { headers: member.headers })).status).toBe(200)
  expect((await upload(member, secret)).status).toBe(201)
})

test('a role in a project never exceeds that in the workspace, also when the latter falls later', async () => {
  expect(await put(admin, viewer.userId, 'member')).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect((await put(admin, viewer.userId, 'viewer')).status).toBe(200)
  expect((await put(admin, member.userId, 'member')).status).toBe(200)
  expect((await upload(member, secret)).status).toBe(201)
  await admin.patch(`/api/members/${member.userId}`, { role: 'viewer' })
  expect((await upload(member, secret)).status).toBe(403)
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(200)
})

test('a lesser role in a project holds there alone: for things named by id too, and with or without the header', async () => {
  await put(admin, member.userId, 'viewer')
  const theirs = (await upload(admin, secret)).body.id
  const own = (await upload(member, admin.workspace.default_project_id)).body.id
  const named = { headers: { 'x-project-id': secret } }
  expect((await member.patch(`/api/media/${theirs}`, { name: 'b.txt' }, named)).status).toBe(403)
  expect((await member.patch(`/api/media/${theirs}`, { name: 'b.txt' })).status).toBe(404)
  expect((await member.get(`/api/media/${theirs}`)).body.name).toBe('a.txt')
  expect((await member.patch(`/api/media/${own}`, { name: 'b.txt' })).status).toBe(200)
  const whoami = (await member.get('/api/whoami', undefined, named)).body
  expect([whoami.permissions.includes('media:read'), whoami.permissions.includes('media:create')]).toEqual([
    true,
    false,
  ])
})

test('being taken out, or the project being shut, counts from the next request on; opening it as well', async () => {
  await put(admin, member.userId, 'member')
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(200)
  expect((await admin.delete(`/api/projects/${secret}/members/${member.userId}`)).status).toBe(204)
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(404)
  expect((await admin.patch(`/api/projects/${secret}`, { restricted: false })).body.restricted).toBe(false)
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(200)
  expect((await admin.patch(`/api/projects/${secret}`, { restricted: true })).status).toBe(200)
  expect((await member.get(`/api/projects/${secret}`)).status).toBe(404)
  expect((await admin.delete(`/api/projects/${secret}/members/${member.userId}`)).status).toBe(404)
})

test('its members are put and listed by those who may: no stranger, no such project, nobody who left', async () => {
  const stranger = await t.signIn('stranger@example.com')
  expect((await put(admin, stranger.userId, 'viewer')).status).toBe(404)
  expect((await put(member, member.userId, 'member')).status).toBe(403)
  await put(admin, member.userId, 'viewer')
  expect((await put(admin, member.userId, 'member')).body).toMatchObject({ user_id: member.userId, role: 'member' })
  const list = async (who: Client) => (await who.get(`/api/projects/${secret}/members`)).body.data
  expect(await list(member)).toEqual([{ user_id: member.userId, role: 'member', added_at: expect.any(String) }])
  expect((await viewer.get(`/api/projects/${secret}/members`)).status).toBe(404)
  await admin.delete(`/api/members/${member.userId}`)
  expect(await list(admin)).toEqual([])
})

test('the header and its alias pick a project by id or slug, and two that disagree pick none', async () => {
  const headers = (first: string, second: string) => ({ headers: { 'x-project-id': first, 'x-namespace': second } })
  for (const [header, name] of [
    ['x-project-id', secret],
    ['x-namespace', secret],
    ['X-Namespace', 'secret'],
  ] as const)
    expect((await admin.get('/api/whoami', undefined, { headers: { [header]: name } })).body.project.id).toBe(secret)
  expect((await admin.get('/api/whoami', undefined, headers(secret, secret))).status).toBe(200)
  expect((await admin.get('/api/whoami', undefined, headers(secret, 'default'))).status).toBe(404)
  expect((await t.call('GET', '/api/whoami', headers(secret, 'default'))).status).toBe(401)
  expect((await upload(admin, 'secret', 'x-namespace')).body.project_id).toBe(secret)
})

test('a deleted project is gone at once with all in it, its slug is free, and after two weeks so are its rows', async () => {
  const file = (await upload(admin, secret)).body.id
  const key = (await admin.post('/api/keys', { name: 'k', level: 'read', projects: [secret] })).body.token
  const reader = t.clientOf({ authorization: `Bearer ${key}` })
  expect((await reader.get(`/api/media/${file}`)).status).toBe(200)
  t.clock.advance(10 * 60_000 + 1)
  expect((await admin.delete(`/api/projects/${secret}`)).body.code).toBe('step_up_required')
  const fresh = await t.signIn('founder@example.com')
  expect((await fresh.delete(`/api/projects/${secret}`)).status).toBe(204)
  for (const who of [admin, reader]) expect((await who.get(`/api/media/${file}`)).status).toBe(404)
  expect((await admin.get(`/api/projects/${secret}`)).status).toBe(404)
  // A key of nothing but this project is left with nothing, never with everything.
  expect((await reader.get('/api/projects')).body.data).toEqual([])
  expect((await fresh.post('/api/projects', { name: 'Secret' })).status).toBe(201)
  t.clock.advance(14 * 86_400_000 + 1)
  await t.app.services.purge()
  const later = await t.signIn('founder@example.com')
  expect(JSON.stringify((await later.get('/api/audit')).body)).toContain('project.purged')
})

test('the default project is neither restricted nor deleted', async () => {
  const target = `/api/projects/${admin.workspace.default_project_id}`
  expect((await admin.patch(target, { restricted: true })).status).toBe(409)
  expect((await admin.delete(target)).status).toBe(409)
  expect((await admin.patch(target, { restricted: false, name: 'Main' })).body).toMatchObject({ name: 'Main' })
})
