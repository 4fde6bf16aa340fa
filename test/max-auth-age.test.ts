// A workspace may ask that whoever enters it has signed in lately; nothing else of theirs is touched by that.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { proofsOf } from './proofs'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const minute = 60_000
const demand = async (seconds: number | null) => {
  const admin = await t.as('admin')
  return admin.patch(`/api/workspaces/${admin.workspace.id}`, { max_auth_age_seconds: seconds })
}

describe('a workspace that demands a fresh sign-in', () => {
  test('lets nobody in whose sign-in is older, until they prove their mailbox again', async () => {
    const member = await t.as('member')
    expect((await demand(3600)).body).toMatchObject({ max_auth_age_seconds: 3600 })
    expect((await member.get('/api/projects')).status).toBe(200)
    t.clock.advance(60 * minute)
    expect((await member.get('/api/projects')).status).toBe(200)
    t.clock.advance(1)
    expect(await member.get('/api/projects')).toMatchObject({ status: 403, body: { code: 'step_up_required' } })
    await proofsOf(t).stepUp(member)
    expect((await member.get('/api/projects')).status).toBe(200)
  })

  test('asks nothing of a person’s own account, of their other workspaces, of strangers or of keys', async () => {
    const [admin, member] = [await t.as('admin'), await t.as('member')]
    const { body: key } = await admin.post('/api/keys', { name: 'k' })
    await demand(600)
    t.clock.advance(11 * minute)
    const own = { 'x-workspace-id': '' }
    expect((await member.get('/api/projects')).body.code).toBe('step_up_required')
    for (const path of ['/api/me', '/api/sessions']) expect((await member.get(path)).status).toBe(200)
    const { workspaces } = (await member.get('/api/me')).body
    own['x-workspace-id'] = workspaces.find((w: { id: string }) => w.id !== admin.workspace.id).id
    expect((await t.clientOf({ ...member.headers, ...own }).get('/api/projects')).status).toBe(200)
    const stranger = await t.signIn('eve@example.com')
    t.clock.advance(11 * minute)
    const there = { 'x-workspace-id': admin.workspace.id as string }
    expect((await t.clientOf({ ...stranger.headers, ...there }).get('/api/projects')).status).toBe(404)
    expect((await t.clientOf({ authorization: `Bearer ${key.token}` }).get('/api/projects')).status).toBe(200)
  })

  test('is told so by an admin who has just signed in, between ten minutes and thirty days, or not at all', async () => {
    const [admin, member] = [await t.as('admin'), await t.as('member')]
    const path = `/api/workspaces/${admin.workspace.id}`
    for (const seconds of [599, 30 * 86_400 + 1, 600.5, '3600'])
      expect([seconds, (await admin.patch(path, { max_auth_age_seconds: seconds })).status]).toEqual([seconds, 422])
    expect((await member.patch(path, { max_auth_age_seconds: 600 })).status).toBe(403)
    expect((await admin.patch(path, { max_auth_age_seconds: 7200, name: 'Acme' })).body).toMatchObject({ name: 'Acme' })
    t.clock.advance(11 * minute)
    expect((await admin.patch(path, { max_auth_age_seconds: null })).body.code).toBe('step_up_required')
    expect((await admin.patch(path, { name: 'Acme Ltd' })).body).toMatchObject({ max_auth_age_seconds: 7200 })
    await proofsOf(t).stepUp(admin)
    expect((await admin.patch(path, { max_auth_age_seconds: null })).body).toMatchObject({ max_auth_age_seconds: null })
  })
})
