// Invitations: an admin's offer to an address, worth nothing without a proof of it and no longer than the admin is one.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { proofsOf } from './proofs'
import { type Client, type Json, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const guest = 'guest@example.com'
const invite = async (who: Client, body: Json = {}) =>
  who.post('/api/invitations', { email: guest, role: 'member', ...body })
const accept = (who: Client, id: string) => who.post(`/api/invitations/${id}/accept`)
const statusOf = async (who: Client, id: string) =>
  (await who.get('/api/invitations')).body.data.find((i: Json) => i.id === id)?.status

describe('an invitation', () => {
  test('makes its addressee a member with that role, after they have signed in and accepted', async () => {
    const admin = await t.as('admin')
    const made = await invite(admin)
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ email: guest, role: 'member', status: 'pending', projects: [] })
    expect(made.body.expires_at).toBe('2030-01-08T00:00:00.000Z')
    const person = await t.signIn(guest)
    const offers = (await person.get('/api/me/invitations')).body.data
    expect(offers).toEqual([
      { id: made.body.id, workspace_name: 'My workspace', role: 'member', expires_at: made.body.expires_at },
    ])
    expect((await accept(person, made.body.id)).body).toEqual({ workspace_id: admin.workspace.id, role: 'member' })
    const { body: me } = await person.get('/api/me')
    expect(me.workspaces.map((w: Json) => [w.id, w.role])).toEqual([[admin.workspace.id, 'member']])
    expect((await person.get('/api/projects')).status).toBe(200)
    expect(await statusOf(admin, made.body.id)).toBe('accepted')
    expect((await accept(person, made.body.id)).status).toBe(404)
  })

  test('is told by mail, which names the workspace safely, holds no credential and leads to sign-in', async () => {
    const admin = await t.as('admin')
    const workspace = `/api/workspaces/${admin.workspace.id}`
    await admin.patch(workspace, { name: '<b>Acme</b> http://evil.example' })
    const { body } = await invite(admin, { locale: 'zh' })
    const mail = await proofsOf(t).mailTo(guest, /邀请您加入/)
    expect(mail?.html).toContain('href="http://localhost:3000/sign-in"')
    for (const part of [mail?.text, mail?.html, mail?.subject]) expect(part).not.toMatch(/evil\.example|<b>|inv_/)
    expect(mail?.text).not.toContain(body.id)
  })

  test('is worth nothing to anybody but a session of its address', async () => {
    const admin = await t.as('admin')
    const { body } = await invite(admin)
    const eve = await t.signIn('eve@example.com')
    const nothing = await accept(eve, 'inv_0000000000000000000000')
    const theirs = await accept(eve, body.id)
    const plain = ({ status, body: { request_id: _, ...rest } }: Json) => ({ status, rest })
    expect(plain(theirs)).toEqual(plain(nothing))
    expect(theirs.status).toBe(404)
    expect((await eve.get('/api/me/invitations')).body.data).toEqual([])
    const { body: key } = await admin.post('/api/keys', { name: 'k' })
    expect((await accept(t.clientOf({ authorization: `Bearer ${key.token}` }), body.id)).status).toBe(403)
    expect((await accept(await t.signIn(guest), body.id)).status).toBe(200)
  })

  for (const how of ['removed', 'made a member', 'gone for good'] as const)
    test(`dies with its inviter: ${how}`, async () => {
      const founder = await t.as('admin')
      const other = await t.signIn('second@example.com')
      await t.join(founder.workspace.id, other.userId, 'admin')
      const second = t.clientOf({ ...other.headers, 'x-workspace-id': founder.workspace.id })
      const { body } = await invite(second)
      const { body: kept } = await invite(founder, { email: 'kept@example.com' })
      const person = await t.signIn(guest)
      const member = `/api/members/${other.userId}`
      if (how === 'removed') expect((await founder.delete(member)).status).toBe(204)
      if (how === 'made a member') expect((await founder.patch(member, { role: 'member' })).status).toBe(200)
      if (how === 'gone for good') expect((await other.delete('/api/me')).status).toBe(204)
      expect((await accept(person, body.id)).status).toBe(404)
      expect((await person.get('/api/me/invitations')).body.data).toEqual([])
      expect(await statusOf(founder, body.id)).toBe('revoked')
      // Nor does it come back to life with the role.
      if (how === 'made a member') await founder.patch(member, { role: 'admin' })
      expect((await accept(person, body.id)).status).toBe(404)
      expect((await accept(await t.signIn('kept@example.com'), kept.id)).status).toBe(200)
    })

  test('ends when it is revoked, and after a week; another can follow', async () => {
    const admin = await t.as('admin')
    const person = await t.signIn(guest)
    const { body: first } = await invite(admin)
    expect((await invite(admin)).body.code).toBe('conflict')
    expect((await admin.delete(`/api/invitations/${first.id}`)).status).toBe(204)
    expect((await admin.delete(`/api/invitations/${first.id}`)).status).toBe(404)
    expect((await accept(person, first.id)).status).toBe(404)
    const { body: second } = await invite(admin)
    t.clock.advance(7 * 86_400_000 - 1)
    const again = await t.signIn(guest)
    t.clock.advance(1)
    expect((await accept(again, second.id)).status).toBe(404)
    const fresh = await t.signIn('founder@example.com')
    expect(await statusOf(fresh, second.id)).toBe('expired')
    const { body: third } = await invite(fresh)
    expect((await accept(again, third.id)).status).toBe(200)
  })

  test('is an admin’s to give, never a key’s, and never to who is in already', async () => {
    const [admin, member] = [await t.as('admin'), await t.as('member')]
    const { body: key } = await admin.post('/api/keys', { name: 'k', level: 'admin' })
    expect((await invite(member)).status).toBe(403)
    expect((await invite(t.clientOf({ authorization: `Bearer ${key.token}` }))).status).toBe(403)
    expect((await invite(admin, { email: member.email })).body.code).toBe('conflict')
    expect((await invite(admin, { projects: ['prj_0000000000000000000000'] })).status).toBe(404)
    t.clock.advance(11 * 60_000)
    expect((await invite(admin, { role: 'admin' })).body.code).toBe('step_up_required')
    expect((await invite(admin)).status).toBe(201)
  })

  test('opens the restricted projects it names and no other', async () => {
    const admin = await t.as('admin')
    const projects = await Promise.all(
      ['one', 'two'].map(async (name) => (await admin.post('/api/projects', { name, restricted: true })).body.id),
    )
    const { body } = await invite(admin, { projects: [projects[0]] })
    const person = await t.signIn(guest)
    await accept(person, body.id)
    const seen = (await person.get('/api/projects')).body.data.map((x: Json) => x.id)
    expect([seen.includes(projects[0]), seen.includes(projects[1])]).toEqual([true, false])
  })

  test('names no project beyond the one that its request is about', async () => {
    const admin = await t.as('admin')
    const { body: other } = await admin.post('/api/projects', { name: 'Other', restricted: true })
    const confined = { headers: { 'x-project-id': admin.workspace.default_project_id } }
    const named = { email: guest, role: 'member', projects: [other.id] }
    expect((await admin.post('/api/invitations', named, confined)).status).toBe(404)
    expect((await admin.get('/api/invitations')).body.data).toEqual([])
    expect((await admin.post('/api/invitations', named, { headers: { 'x-project-id': other.id } })).status).toBe(201)
  })

  test('is sent a hundred times a day by one person, whatever the workspace, and no more', async () => {
    const admin = await t.as('admin')
    for (let i = 0; i < 100; i++) {
      expect((await invite(admin, { email: `g${i}@example.com` })).status).toBe(201)
      if (i === 0) t.clock.advance(3_600_000)
    }
    const { body: more } = await admin.post('/api/workspaces', { name: 'More' })
    const elsewhere = t.clientOf({ ...admin.headers, 'x-workspace-id': more.id })
    for (const from of [t.clientOf({ ...admin.headers, 'x-workspace-id': admin.workspace.id }), elsewhere])
      expect(await invite(from)).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    const { headers } = await invite(elsewhere)
    expect([headers.get('retry-after'), headers.get('ratelimit')]).toEqual(['82800', '"user";r=0;t=82800'])
    expect(headers.get('ratelimit-policy')).toBe('"user";q=100;w=86400')
    t.clock.advance(82_800_000 - 1)
    expect((await invite(elsewhere)).status).toBe(429)
    t.clock.advance(1)
    expect((await invite(elsewhere)).status).toBe(201)
  })

  test('fills no mailbox: a few are mailed in an hour, and those cost nobody a code to sign in', async () => {
    const limited = await testApp({ env: { LATCHKEY_RATE_LIMITS: 'default' } })
    const admin = await limited.signIn('founder@example.com')
    for (let i = 0; i < 8; i++) {
      const { body } = await invite(admin)
      await admin.delete(`/api/invitations/${body.id}`)
      await invite(admin)
      const pending = (await admin.get('/api/invitations')).body.data[0]
      await limited.app.services.jobs.runNow('outbox')
      await admin.delete(`/api/invitations/${pending.id}`)
    }
    const invitations = limited.inbox.list().filter((m) => m.to === guest)
    expect(invitations.length).toBeGreaterThan(0)
    expect(invitations.length).toBeLessThanOrEqual(5)
    expect((await limited.signIn(guest)).email).toBe(guest)
    await limited.stop()
  })

  test('leaves no address in the open, and is accepted once by many at once', async () => {
    const admin = await t.as('admin')
    const { body } = await invite(admin)
    const person = await t.signIn(guest)
    const done = await Promise.all(Array.from({ length: 16 }, () => accept(person, body.id)))
    expect(done.filter((a) => a.status === 200)).toHaveLength(1)
    expect(await Bun.file(t.path).text()).not.toContain(guest)
  })
})

describe('the first proof of a mailbox', () => {
  test('that brings an invitation makes no workspace of its own; one that brings none does', async () => {
    const admin = await t.as('admin')
    await invite(admin)
    expect((await t.signIn(guest)).workspace).toBeUndefined()
    expect((await t.signIn('other@example.com')).workspace).toMatchObject({ role: 'admin' })
  })

  test('is let in under `invite` with an invitation that stands, and otherwise looks the same and gets no mail', async () => {
    const env = { LATCHKEY_SIGN_UP: 'invite', LATCHKEY_OPERATORS: 'operator@example.com' }
    const closed = await testApp({ env })
    const ask = async (email: string) => {
      const { status, body } = await closed.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
      await closed.app.services.jobs.runNow('outbox')
      return {
        status,
        keys: Object.keys(body),
        mailed: closed.inbox.list().some((m) => m.to === email && /code/.test(m.text)),
      }
    }
    const barred = await ask(guest)
    expect(barred).toMatchObject({ status: 202, mailed: false })
    const operator = await closed.signIn('operator@example.com')
    const { body } = await invite(operator)
    expect(await ask(guest)).toEqual({ ...barred, mailed: true })
    const person = await closed.signIn(guest)
    expect((await accept(person, body.id)).status).toBe(200)

    const { body: late } = await invite(operator, { email: 'late@example.com' })
    const { challenge_id, binding } = (
      await closed.call('POST', '/api/auth/start', { body: { email: 'late@example.com', transport: 'token' } })
    ).body
    const code = await closed.codeFor('late@example.com')
    await operator.delete(`/api/invitations/${late.id}`)
    const proof = await closed.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code } })
    expect(proof.body.code).toBe('invalid_or_expired')
    await closed.stop()
  })
})
