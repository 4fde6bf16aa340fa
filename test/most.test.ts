// What no plan changes: how many workspaces a person makes and is in, how many projects a workspace has, also at once.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { projects, workspaces } from '../db/schema'
import { newId } from '../src/lib/id'
import { builder, statement } from '../src/write'
import { type Answer, type TestApp, testApp } from './support'

let t: TestApp
let ada: Awaited<ReturnType<TestApp['signIn']>>
beforeEach(async () => {
  t = await testApp()
  ada = await t.signIn('ada@example.com')
})
afterEach(() => t.stop())

const make = (kind: 'workspaces' | 'projects', who = ada) => {
  const headers = { 'x-workspace-id': ada.workspace.id as string }
  return who.post(`/api/${kind}`, { name: `New ${crypto.randomUUID()}` }, kind === 'projects' ? { headers } : {})
}
/** Makes 20 at once where there is room for one more. */
const oneOf = async (kind: 'workspaces' | 'projects'): Promise<string> => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => make(kind)))
  const made = answers.filter(({ status }) => status === 201)
  const refused = answers.filter(({ status, body }) => status === 402 && body.code === 'quota_exceeded')
  expect([made.length, refused.length]).toEqual([1, 19])
  return made[0]!.body.id
}
const newWorkspaces = (makers: readonly string[]) =>
  t.db.batch(makers.flatMap((id) => t.app.services.workspaces.newWorkspace(id, 'One more').statements))
const timesOf = <T>(length: number, value: () => T) => Array.from({ length }, value)
const detailOf = ({ body }: Answer) => body.detail

test('a person makes 100 workspaces and, of many at once, not one more until one that was deleted is gone', async () => {
  // Beside their first one.
  await newWorkspaces(timesOf(98, () => ada.userId))
  const last = await oneOf('workspaces')
  expect((await ada.get('/api/workspaces')).body.data).toHaveLength(100)
  expect(detailOf(await make('workspaces'))).toContain('at most 100 workspaces')
  expect((await make('workspaces', await t.signIn('bob@example.com'))).status).toBe(201)
  expect((await ada.delete(`/api/workspaces/${last}`, undefined, { headers: { 'x-workspace-id': last } })).status).toBe(
    200,
  )
  expect((await make('workspaces')).status).toBe(402)
  t.clock.advance(14 * 86_400_000 + 1)
  await t.app.services.purge()
  ada = await t.signIn(ada.email)
  expect([(await make('workspaces')).status, (await make('workspaces')).status]).toEqual([201, 402])
})

test('a workspace that others made does not count as theirs, nor one that they made and left', async () => {
  const bob = await t.signIn('bob@example.com')
  await newWorkspaces(timesOf(99, () => ada.userId))
  await t.join(bob.workspace.id, ada.userId, 'member')
  expect((await make('workspaces')).status).toBe(402)
  await t.join(ada.workspace.id, bob.userId, 'admin')
  const headers = { 'x-workspace-id': ada.workspace.id as string }
  expect((await ada.delete(`/api/members/${ada.userId}`, undefined, { headers })).status).toBe(204)
  expect([(await make('workspaces')).status, (await make('workspaces')).status]).toEqual([201, 402])
})

test('a workspace has 1000 projects and, of many made at once, not one more until one is deleted', async () => {
  const [row] = await t.db.orm.select().from(workspaces).where(eq(workspaces.id, ada.workspace.id))
  const project = () => {
    const id = newId('prj')
    return { workspaceId: row!.workspaceId, id, slug: id, name: 'One more', createdAt: t.clock.now() }
  }
  await t.db.batch([statement(builder.insert(projects).values(timesOf(998, project)))])
  const last = await oneOf('projects')
  expect(detailOf(await make('projects'))).toBe('A workspace has at most 1000 projects')
  expect((await ada.delete(`/api/projects/${last}`)).status).toBe(204)
  expect([(await make('projects')).status, (await make('projects')).status]).toEqual([201, 402])
})

test('whoever is in 1000 workspaces accepts no invitation to more, and does once they have left one', async () => {
  const bob = await t.signIn('bob@example.com')
  const offer = (await bob.post('/api/invitations', { email: ada.email, role: 'member' })).body.id
  const other = await t.signIn('eve@example.com')
  await t.join(other.workspace.id, ada.userId, 'member')
  await newWorkspaces(timesOf(998, () => ada.userId))
  const accept = () => ada.post(`/api/invitations/${offer}/accept`)
  const refused = await accept()
  expect([refused.status, refused.body.code]).toEqual([402, 'quota_exceeded'])
  const headers = { 'x-workspace-id': other.workspace.id as string }
  expect((await ada.delete(`/api/members/${ada.userId}`, undefined, { headers })).status).toBe(204)
  expect((await accept()).status).toBe(200)
})
