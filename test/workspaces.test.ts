// A workspace keeps one admin whatever happens at once, is deleted with a grace, and leaves nothing behind but its audit.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { createSend } from '../src/doctor/http'
import { routesOf, runMatrix } from '../src/doctor/matrix'
import { makeWorld } from '../src/doctor/principals'
import { type Client, origin, type TestApp, testApp } from './support'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
const day = 86_400_000

beforeEach(async () => {
  t = await testApp()
  admin = await t.as('admin')
})
afterEach(() => t.stop())

const admins = async (who: Client) =>
  (await who.get('/api/members')).body.data.filter((m: { role: string }) => m.role === 'admin').length
const secondAdmin = async () => {
  const second = await t.as('member')
  await admin.patch(`/api/members/${second.userId}`, { role: 'admin' })
  return second
}

test('the last admin cannot leave, be demoted or be removed; with a second one, each of it goes', async () => {
  for (const answer of [
    await admin.delete(`/api/members/${admin.userId}`),
    await admin.patch(`/api/members/${admin.userId}`, { role: 'member' }),
    await admin.patch(`/api/members/${admin.userId}`, { role: 'viewer' }),
  ])
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  const second = await secondAdmin()
  expect((await second.patch(`/api/members/${admin.userId}`, { role: 'member' })).status).toBe(200)
  expect((await second.delete(`/api/members/${second.userId}`)).status).toBe(409)
  expect((await second.delete(`/api/members/${admin.userId}`)).status).toBe(204)
})

test('two admins who leave, demote or remove each other at the same moment leave one, in every mix', async () => {
  const moves = [
    (a: typeof admin, b: typeof admin) => [a.delete(`/api/members/${a.userId}`), b.delete(`/api/members/${b.userId}`)],
    (a: typeof admin, b: typeof admin) => [a.delete(`/api/members/${b.userId}`), b.delete(`/api/members/${a.userId}`)],
    (a: typeof admin, b: typeof admin) => [
      a.patch(`/api/members/${b.userId}`, { role: 'viewer' }),
      b.patch(`/api/members/${a.userId}`, { role: 'member' }),
      a.delete(`/api/members/${a.userId}`),
      b.delete(`/api/members/${b.userId}`),
    ],
  ]
  for (const move of moves)
    for (let round = 0; round < 5; round++) {
      const own = await t.signIn(`first-${round}-${crypto.randomUUID()}@example.com`)
      const other = await t.signIn(`second-${round}-${crypto.randomUUID()}@example.com`)
      await t.join(own.workspace.id, other.userId, 'admin')
      const headers = { 'x-workspace-id': own.workspace.id as string }
      const [a, b] = [own, other].map((p) => ({ ...p, ...t.clientOf({ ...p.headers, ...headers }) })) as [
        typeof admin,
        typeof admin,
      ]
      expect(await admins(a)).toBe(2)
      const answers = await Promise.all(move(a, b))
      expect(answers.some(({ status }) => status < 300)).toBe(true)
      const file = new Libsql(t.path, { readonly: true })
      const left = file
        .prepare(
          'select count(*) as n from members m join workspaces w using (workspace_id) where w.id = ? and role = ?',
        )
        .get(own.workspace.id, 'admin') as { n: number }
      file.close()
      expect(left.n).toBe(1)
    }
})

test('a deleted workspace is shut at once for its people and keys, and an admin brings it back as it was', async () => {
  const [member, id] = [await t.as('member'), admin.workspace.id]
  const key = t.clientOf({ authorization: `Bearer ${(await admin.post('/api/keys', { name: 'k' })).body.token}` })
  const file = await key.post('/api/media', undefined, {
    raw: 'x',
    headers: { 'content-type': 'text/plain', 'x-file-name': 'a' },
  })
  for (const who of [member, key]) expect((await who.get('/api/projects')).status).toBe(200)
  expect((await member.delete(`/api/workspaces/${id}`)).status).toBe(403)
  const { status, body } = await admin.delete(`/api/workspaces/${id}`)
  expect([status, body.deletes_at]).toEqual([200, new Date(t.clock.now() + 14 * day).toISOString()])
  expect((await member.get('/api/projects')).status).toBe(404)
  expect((await member.get(`/media/${file.body.id}`)).status).toBe(404)
  expect((await key.get('/api/projects')).status).toBe(401)
  const theirs = async (who: Client) => (await who.get('/api/workspaces')).body.data.map((w: { id: string }) => w.id)
  expect(await theirs(member)).toContain(id)
  expect((await member.post(`/api/workspaces/${id}/restore`)).status).toBe(404)
  expect((await admin.post(`/api/workspaces/${id}/restore`)).body).toMatchObject({ id, deletes_at: null })
  for (const who of [member, key]) expect((await who.get('/api/projects')).status).toBe(200)
  expect((await admin.post(`/api/workspaces/${id}/restore`)).status).toBe(409)
})

test('whoever had two workspaces and one is deleted need not name the other for longer than a minute', async () => {
  const ada = await t.signIn('ada@example.com')
  const { body } = await ada.post('/api/workspaces', { name: 'Second' })
  expect((await ada.get('/api/projects')).body.code).toBe('workspace_required')
  const second = { headers: { 'x-workspace-id': body.id } }
  expect((await ada.delete(`/api/workspaces/${body.id}`, undefined, second)).status).toBe(200)
  t.clock.advance(60_000)
  expect((await ada.get('/api/projects')).status).toBe(200)
})

test('deleting and restoring ask for a fresh sign-in, and for the workspace that the caller is in', async () => {
  const other = await t.signIn('other@example.com')
  expect((await admin.delete(`/api/workspaces/${other.workspace.id}`)).status).toBe(404)
  expect((await admin.post(`/api/workspaces/${other.workspace.id}/restore`)).status).toBe(404)
  t.clock.advance(10 * 60_000 + 1)
  expect((await admin.delete(`/api/workspaces/${admin.workspace.id}`)).body.code).toBe('step_up_required')
  const fresh = await t.signIn('founder@example.com')
  expect((await fresh.delete(`/api/workspaces/${admin.workspace.id}`)).status).toBe(200)
  expect((await admin.post(`/api/workspaces/${admin.workspace.id}/restore`)).body.code).toBe('step_up_required')
})

test('after its grace nothing of a workspace is left in any table but its audit, whatever was done in it', async () => {
  const send = createSend(async (method, target, headers, raw) =>
    t.fetch(method, target, { headers, ...(raw !== undefined && { raw }) }),
  )
  const addressOf = (name: string) => `${name}@example.com`
  const wait = async (ms: number) => t.clock.advance(ms)
  const w = await makeWorld({ send, origin, addressOf, codeFor: t.codeFor, wait, now: t.clock.now, made: new Map() })
  // Whatever the routes can make is in it then.
  await runMatrix(w, routesOf((await send('GET', '/api/openapi.json')).body))
  const file = new Libsql(t.path, { readonly: true })
  const tables = (file.prepare("select name from sqlite_schema where type = 'table'").all() as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => file.prepare(`select 1 from pragma_table_info('${name}') where name = 'workspace_id'`).get())
  const { n } = file.prepare('select workspace_id as n from workspaces where id = ?').get(w.workspace) as { n: number }
  const left = () =>
    tables.filter((name) => file.prepare(`select 1 from "${name}" where workspace_id = ?`).get(n) !== undefined)
  expect(left().length).toBeGreaterThan(6)
  expect((await w.call('DELETE', `/api/workspaces/${w.workspace}`)).status).toBe(200)
  t.clock.advance(14 * day - 1)
  await t.app.services.purge()
  expect(left().length).toBeGreaterThan(6)
  t.clock.advance(1)
  await t.app.services.purge()
  expect(left()).toEqual(['audit_events'])
  file.close()
})
