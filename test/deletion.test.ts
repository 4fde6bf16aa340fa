// The end of an account, and what is held about a person: at once, whole, and only on a proof.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as schema from '../db/schema'
import { proofsOf } from './proofs'
import { type Json, type TestApp, testApp } from './support'

let t: TestApp
let p: ReturnType<typeof proofsOf>
beforeEach(async () => {
  t = await testApp()
  p = proofsOf(t)
})
afterEach(() => t.stop())

const email = 'ada@example.com'
const readAll = (table: unknown) =>
  t.db.acrossTenants('test', (orm) =>
    orm
      .select()
      .from(table as typeof schema.users)
      .all(),
  )

describe('the end of an account', () => {
  test('ends every session at once, and what was the person’s own is gone; a new account starts from nothing', async () => {
    const [here, there] = [await t.signIn(email), await t.signIn(email)]
    await here.patch('/api/me', { name: 'Ada Lovelace' })
    await p.signInBrowser(email)
    expect((await here.delete('/api/me')).status).toBe(204)
    for (const ended of [here, there]) expect((await ended.get('/api/me')).status).toBe(401)
    for (const table of [schema.users, schema.sessions, schema.devices, schema.members, schema.formerAddresses])
      expect(await readAll(table)).toEqual([])
    const fresh = await t.signIn(email)
    expect(fresh.userId).not.toBe(here.userId)
    expect(fresh.workspace.id).not.toBe(here.workspace.id)
    expect((await fresh.get('/api/me')).body.name).toBeNull()
  })

  test('leaves no address, name or hash of them in the database; the audit keeps ids', async () => {
    const ada = await t.signIn(email)
    const [user] = await t.db.orm.select().from(schema.users)
    await ada.patch('/api/me', { name: 'Ada Lovelace' })
    await t.as('admin')
    await ada.delete('/api/me')
    expect((await p.mailTo(email, /was deleted$/))?.text).toContain('Your account on localhost:3000 was deleted')
    t.clock.advance(2 * 86_400_000)
    await t.app.services.jobs.runNow('sweep')
    await t.app.services.jobs.runNow('purge')
    const ofIds = ['auditEvents', 'auditHeads', 'revocations']
    const tables = Object.entries(schema).filter(([name]) => !ofIds.includes(name))
    const left = JSON.stringify(await Promise.all(tables.map(([, table]) => readAll(table))))
    for (const gone of ['Ada Lovelace', user!.addressHash, user!.addressSealed, ada.userId])
      expect([gone, left.includes(gone)]).toEqual([gone, false])
    const events = (await readAll(schema.auditEvents)) as Json[]
    expect(events.filter((e) => e.action === 'user.deleted').map((e) => e.targets)).toEqual([[ada.userId]])
    expect(JSON.stringify(events)).not.toContain('Ada')
  })

  test('shuts the workspaces that were theirs alone, with their keys and media; others go on without them', async () => {
    const founder = await t.as('admin')
    const ada = await t.signIn(email)
    await t.join(founder.workspace.id, ada.userId, 'member')
    const own = t.clientOf({ ...ada.headers, 'x-workspace-id': ada.workspace.id })
    const { body: key } = await own.post('/api/keys', { name: 'k' })
    const asKey = t.clientOf({ authorization: `Bearer ${key.token}` })
    expect((await asKey.get('/api/projects')).status).toBe(200)
    expect((await ada.delete('/api/me')).status).toBe(204)
    expect((await asKey.get('/api/projects')).status).toBe(401)
    const { body: members } = await founder.get('/api/members')
    expect(members.data.map((m: Json) => m.user_id)).toEqual([founder.userId])
    await t.app.services.jobs.runNow('purge')
    const left = await t.db.orm.select().from(schema.workspaces)
    expect(left.map((w) => w.id)).toEqual([founder.workspace.id])
  })

  test('is refused to the last admin of a workspace that others are in, also when two admins leave at once', async () => {
    const founder = await t.as('admin')
    const member = await t.as('member')
    const refused = await founder.delete('/api/me')
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict'])
    expect((await founder.get('/api/me')).status).toBe(200)
    const other = await t.signIn('second@example.com')
    await t.join(founder.workspace.id, other.userId, 'admin')
    const both = await Promise.all([founder.delete('/api/me'), other.delete('/api/me')])
    expect(both.map((a) => a.status).sort()).toEqual([204, 409])
    expect((await member.get('/api/projects')).status).toBe(200)
  })

  test('takes a fresh sign-in, or a proof that says what it is for: by code, and by link', async () => {
    for (const how of ['code', 'link'] as const) {
      const ada = await p.signInBrowser(email)
      t.clock.advance(11 * 60_000)
      const asked = await t.call('DELETE', '/api/me', { headers: ada.headers })
      expect([asked.status, Object.keys(asked.body).includes('challenge_id')]).toEqual([202, true])
      expect((await t.call('GET', '/api/me', { headers: ada.headers })).status).toBe(200)
      const mail = await p.mailTo(email, /^Delete your account/)
      expect(mail?.text).toContain('delete your account')
      const done =
        how === 'link'
          ? await p.redeemLink(ada, p.linkIn(mail!.text))
          : await p.redeemCode(ada, asked.body.challenge_id, await t.codeFor(email))
      expect(done.status).toBe(200)
      expect(done.headers.get('set-cookie')).toMatch(/^session=; Max-Age=0/)
      expect((await t.call('GET', '/api/me', { headers: ada.headers })).status).toBe(401)
      t.clock.advance(86_400_000)
    }
  })

  test('is refused to the last admin by the proof as well, and the account goes on', async () => {
    const founder = await t.as('admin')
    await t.as('member')
    t.clock.advance(11 * 60_000)
    const { body } = await founder.delete('/api/me')
    const code = await t.codeFor(founder.email)
    expect((await p.redeemCode(founder, body.challenge_id, code)).body.code).toBe('conflict')
    expect((await founder.get('/api/me')).status).toBe(200)
  })

  test('by one of two at once is one end', async () => {
    const ada = await t.signIn(email)
    const done = await Promise.all(Array.from({ length: 8 }, () => ada.delete('/api/me')))
    expect(done.filter((a) => a.status === 204)).toHaveLength(1)
    expect(done.every((a) => [204, 401, 409].includes(a.status))).toBe(true)
  })
})

describe('the export', () => {
  test('holds what is held about the person, and nothing of anybody else', async () => {
    const [ada, bob] = [await p.signInBrowser(email), await t.signIn('bob@example.com')]
    const founder = await t.as('admin')
    await founder.post('/api/invitations', { email, role: 'viewer' })
    await t.call('PATCH', '/api/me', { body: { name: 'Ada' }, headers: ada.headers })
    const { body: asked } = await t.call('POST', '/api/me/email', {
      body: { email: 'new@example.com' },
      headers: ada.headers,
    })
    await p.redeemCode(ada, asked.challenge_id, await t.codeFor('new@example.com'))
    const { status, body } = await t.call('GET', '/api/me/export', { headers: ada.headers })
    expect(status).toBe(200)
    expect(body.user).toMatchObject({ email: 'new@example.com', name: 'Ada' })
    expect(body.former_addresses).toMatchObject([{ email }])
    expect(body.workspaces).toMatchObject([{ role: 'admin', name: 'My workspace' }])
    expect(body.sessions).toMatchObject([{ current: true, method: 'code' }])
    expect(body.devices).toHaveLength(1)
    expect(body.events.map((e: Json) => e.action)).toEqual(
      expect.arrayContaining(['user.created', 'session.opened', 'user.updated', 'user.address_changed']),
    )
    const text = JSON.stringify(body)
    for (const other of [bob.userId, founder.userId, 'bob@example.com', ...Object.values(ada.cookies)])
      expect(text).not.toContain(other)
    expect(text).not.toMatch(/(address|secret)_?hash|sealed/i)
  })

  test('lists the invitations that wait for the person', async () => {
    const [ada, founder] = [await t.signIn(email), await t.as('admin')]
    await founder.post('/api/invitations', { email, role: 'viewer' })
    expect((await ada.get('/api/me/export')).body.invitations).toMatchObject([{ role: 'viewer' }])
  })

  test('takes a fresh sign-in', async () => {
    const ada = await t.signIn(email)
    expect((await ada.get('/api/me/export')).status).toBe(200)
    t.clock.advance(11 * 60_000)
    expect((await ada.get('/api/me/export')).body.code).toBe('step_up_required')
    await p.stepUp(ada)
    expect((await ada.get('/api/me/export')).status).toBe(200)
  })
})
