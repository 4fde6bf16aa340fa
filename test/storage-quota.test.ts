// Storage that is given back: what is gone for good takes nothing of the quota, and is given back once.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type Client, type Json, type TestApp, testApp } from './support'

const day = 86_400_000
let t: TestApp
let admin: Client
beforeEach(async () => {
  t = await testApp()
  admin = await t.as('admin')
})
afterEach(() => t.stop())

const upload = async (text: string, project?: string) => {
  const headers = { ...admin.headers, ...(project !== undefined && { 'x-project-id': project }) }
  return ((await (await t.fetch('POST', '/api/media', { headers, raw: text })).json()) as { id: string }).id
}
const used = async (): Promise<number> =>
  (await admin.get('/api/usage/quotas')).body.quotas.find((q: Json) => q.resource === 'storage_bytes').used
/** After so long a session has ended. */
const later = async (ms: number) => {
  t.clock.advance(ms)
  admin = await t.signIn('founder@example.com')
}

test('a purged project gives back what its files took, a file deleted before it once, and no other project’s', async () => {
  const { body: project } = await admin.post('/api/projects', { name: 'Going' })
  await upload('12345')
  const kept = await upload('1234567', project.id)
  const deleted = await upload('123', project.id)
  const headers = { ...admin.headers, 'x-project-id': project.id as string }
  await t.fetch('PUT', `/api/media/${kept}/content`, { headers, raw: '12345678' })
  const tus = { 'tus-resumable': '1.0.0', 'upload-length': '100' }
  expect((await t.fetch('POST', '/api/uploads', { headers: { ...headers, ...tus } })).status).toBe(201)
  expect(await used()).toBe(123)
  expect(
    (await admin.delete(`/api/media/${deleted}`, undefined, { headers: { 'x-project-id': project.id } })).status,
  ).toBe(204)
  expect(await used()).toBe(120)
  expect((await admin.delete(`/api/projects/${project.id}`)).status).toBe(204)
  await t.app.services.purge()
  expect(await used()).toBe(120)
  await later(15 * day)
  for (const _ of [1, 2]) {
    await t.app.services.purge()
    expect(await used()).toBe(5)
  }
  await later(31 * day)
  await t.app.services.sweepMedia(new AbortController().signal)
  expect(await used()).toBe(5)
})
