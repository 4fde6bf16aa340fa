// Another mail address: both mailboxes prove it, the former one is told and may take it back for 72 hours.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { formerAddresses, users } from '../db/schema'
import { proofsOf } from './proofs'
import { type TestApp, testApp } from './support'

let t: TestApp
let p: ReturnType<typeof proofsOf>
beforeEach(async () => {
  t = await testApp()
  p = proofsOf(t)
})
afterEach(() => t.stop())

const hourMs = 3_600_000
const [old, next] = ['ada@example.com', 'ada@example.org']
type Person = Awaited<ReturnType<TestApp['signIn']>>

const ask = (who: Person, email: string) => who.post('/api/me/email', { email })
const move = async (who: Person, email: string) => {
  const { body } = await ask(who, email)
  return p.redeemCode(who, body.challenge_id, await t.codeFor(email))
}
const emailOf = async (who: Person) => (await who.get('/api/me')).body.email
const isToldNothing = async (email: string) => (await p.mailTo(email, /^Use this address/)) === undefined

describe('another address', () => {
  test('is taken once both mailboxes are proved; the account, its sessions and what it is in go on', async () => {
    const ada = await t.signIn(old)
    const { body } = await ask(ada, ' ADA@Example.org ')
    const again = await p.redeemCode(ada, body.challenge_id, await t.codeFor(next))
    expect(again.body.user).toMatchObject({ id: ada.userId, email: next })
    expect(await emailOf(ada)).toBe(next)
    const back = await t.signIn(next)
    expect([back.userId, back.workspace.id]).toEqual([ada.userId, ada.workspace.id])
  })

  test('takes a fresh sign-in, which is the proof of the present one', async () => {
    const ada = await t.signIn(old)
    t.clock.advance(11 * 60_000)
    expect((await ask(ada, next)).body.code).toBe('step_up_required')
    expect(await isToldNothing(next)).toBe(true)
    await p.stepUp({ ...ada, email: old })
    expect((await move(ada, next)).status).toBe(200)
  })

  test('that somebody has looks the same to who asks, and changes nothing', async () => {
    const [ada, bob] = [await t.signIn(old), await t.signIn('bob@example.com')]
    const [taken, free] = [await ask(ada, 'bob@example.com'), await ask(ada, next)]
    expect([taken.status, Object.keys(taken.body)]).toEqual([free.status, Object.keys(free.body)])
    expect(await isToldNothing('bob@example.com')).toBe(true)
    expect(await isToldNothing(next)).toBe(false)
    expect((await bob.get('/api/me')).body.email).toBe('bob@example.com')
  })

  test('goes to one of two who prove it at once', async () => {
    const [ada, bob] = [await t.signIn(old), await t.signIn('bob@example.com')]
    const asked = [(await ask(ada, next)).body, (await ask(bob, next)).body]
    await t.app.services.jobs.runNow('outbox')
    const links = t.inbox
      .list()
      .filter((m) => m.to === next)
      .map((m) => p.linkIn(m.text))
    const of = (challenge_id: string) => links.find((l) => l.challenge_id === challenge_id)!
    const done = await Promise.all([
      p.redeemLink(ada, of(asked[0].challenge_id)),
      p.redeemLink(bob, of(asked[1].challenge_id)),
    ])
    expect(done.map((d) => d.status).sort()).toEqual([200, 409])
    const held = [await emailOf(ada), await emailOf(bob)]
    expect(held.filter((email) => email === next)).toHaveLength(1)
  })

  test('is not one that the instance takes no people of', async () => {
    const closed = await testApp({ env: { LATCHKEY_SIGN_UP: 'domains:example.com' } })
    const ada = await closed.signIn(old)
    for (const [email, mails] of [
      [next, 0],
      ['ada2@example.com', 1],
    ] as const) {
      expect((await ada.post('/api/me/email', { email })).status).toBe(202)
      await closed.app.services.jobs.runNow('outbox')
      expect([email, closed.inbox.list().filter((m) => m.to === email).length]).toEqual([email, mails])
    }
    await closed.stop()
  })
})

describe('the former address', () => {
  test('is told, without the new one being named, and may take the change back by signing in: every session ends', async () => {
    const ada = await t.signIn(old)
    await move(ada, next)
    const notice = await p.mailTo(old, /was changed$/)
    expect(notice?.text).toContain('sign in on localhost:3000 with this address before 2030-01-04 00:00 UTC')
    expect(`${notice?.text}${notice?.html}${notice?.subject}`).not.toContain('example.org')
    const thief = await t.signIn(next)
    t.clock.advance(72 * hourMs - 1000)
    const back = await t.signIn(old)
    expect(back.userId).toBe(ada.userId)
    expect(await emailOf(back)).toBe(old)
    for (const ended of [ada, thief]) expect((await ended.get('/api/me')).status).toBe(401)
    const stranger = await t.signIn(next)
    expect(stranger.userId).not.toBe(ada.userId)
  })

  test('takes it back no more after 72 hours: then it is a stranger', async () => {
    const ada = await t.signIn(old)
    await move(ada, next)
    t.clock.advance(72 * hourMs)
    const stranger = await t.signIn(old)
    expect(stranger.userId).not.toBe(ada.userId)
    expect(await emailOf(ada)).toBe(next)
  })

  test('is nobody else’s for as long as it may take the change back', async () => {
    const [ada, eve] = [await t.signIn(old), await t.signIn('eve@example.com')]
    await move(ada, next)
    expect((await ask(eve, old)).status).toBe(202)
    expect(await isToldNothing(old)).toBe(true)
    t.clock.advance(72 * hourMs)
    const again = await t.signIn('eve@example.com')
    expect((await move(again, old)).status).toBe(200)
  })

  test('of the first of several changes takes all of them back, and no later one undoes that', async () => {
    const ada = await t.signIn(old)
    await move(ada, next)
    t.clock.advance(1000)
    await move(ada, 'third@example.net')
    const back = await t.signIn(old)
    expect([back.userId, await emailOf(back)]).toEqual([ada.userId, old])
    for (const email of [next, 'third@example.net']) expect((await t.signIn(email)).userId).not.toBe(ada.userId)
    expect(await emailOf(back)).toBe(old)
  })

  test('and the present one are encrypted, and forgotten once nothing can be taken back', async () => {
    const ada = await t.signIn(old)
    await move(ada, next)
    const rows = JSON.stringify([await t.db.orm.select().from(formerAddresses), await t.db.orm.select().from(users)])
    expect(rows).not.toMatch(/example\.(com|org)/)
    expect(await t.db.orm.select().from(formerAddresses)).toHaveLength(1)
    t.clock.advance(73 * hourMs)
    await t.app.services.jobs.runNow('sweep')
    expect(await t.db.orm.select().from(formerAddresses)).toHaveLength(0)
  })
})

describe('what was attached to an address before anybody had proved it', () => {
  test('is gone with the first proof: a proof that somebody else had asked for is void', async () => {
    const eve = await t.signIn('eve@example.com')
    const asked = (await ask(eve, old)).body
    await t.app.services.jobs.runNow('outbox')
    const link = p.linkIn((await p.mailTo(old, /^Use this/))!.text)
    const begun = (await t.call('POST', '/api/auth/start', { body: { email: old, transport: 'token', locale: 'zh' } }))
      .body
    const ada = await t.signIn(old)
    expect((await ada.get('/api/me')).body).toMatchObject({ locale: 'en', name: null })
    expect(link.challenge_id).toBe(asked.challenge_id)
    expect((await p.redeemLink(eve, link)).body.code).toBe('invalid_or_expired')
    expect(await emailOf(eve)).toBe('eve@example.com')
    const { challenge_id, binding } = begun
    const late = await t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code: '0000-0000' } })
    expect(late.body.code).toBe('invalid_or_expired')
    expect((await ada.get('/api/sessions')).body.data).toHaveLength(1)
  })
})
