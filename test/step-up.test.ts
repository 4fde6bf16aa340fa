// Step-up: the person of a session proves their mailbox anew, in that session and nowhere else.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { sessions } from '../db/schema'
import { proofsOf } from './proofs'
import { type TestApp, testApp } from './support'

let t: TestApp
let p: ReturnType<typeof proofsOf>
beforeEach(async () => {
  t = await testApp()
  p = proofsOf(t)
})
afterEach(() => t.stop())

const minuteMs = 60_000
const countSessions = async () => (await t.db.orm.select().from(sessions)).length

describe('a step-up', () => {
  test('lets a session that is not fresh do what asks for it, at once, and makes no session', async () => {
    const ada = await t.signIn('ada@example.com')
    t.clock.advance(10 * minuteMs + 1)
    expect((await ada.post('/api/keys', { name: 'k' })).body.code).toBe('step_up_required')
    const done = await p.stepUp(ada)
    expect(done.status).toBe(200)
    expect(done.body).toMatchObject({ user: { email: 'ada@example.com' }, session: { current: true } })
    expect([done.body.token, done.headers.get('set-cookie')]).toEqual([undefined, null])
    expect((await ada.post('/api/keys', { name: 'k' })).status).toBe(201)
    expect(await countSessions()).toBe(1)
    t.clock.advance(10 * minuteMs + 1)
    expect((await ada.post('/api/keys', { name: 'k' })).body.code).toBe('step_up_required')
  })

  test('is one of the session: another session of the same person stays as it was', async () => {
    const [here, there] = [await t.signIn('ada@example.com'), await t.signIn('ada@example.com')]
    t.clock.advance(11 * minuteMs)
    await p.stepUp(here)
    expect((await here.post('/api/keys', { name: 'k' })).status).toBe(201)
    expect((await there.post('/api/keys', { name: 'k' })).body.code).toBe('step_up_required')
  })

  test('says in its mail what it is for, and leads by link to the same place as by code', async () => {
    const ada = await p.signInBrowser('ada@example.com')
    t.clock.advance(11 * minuteMs)
    await t.call('POST', '/api/auth/step-up', { body: {}, headers: ada.headers })
    const mail = await p.mailTo('ada@example.com', /^Confirm that it is you/)
    expect(mail?.text).toContain('If it was not you, somebody is signed in to your account')
    expect((await p.redeemLink(ada, p.linkIn(mail!.text))).status).toBe(200)
    expect((await t.call('POST', '/api/keys', { body: { name: 'k' }, headers: ada.headers })).status).toBe(201)
  })

  test('is asked for by a session alone: neither a key nor nobody', async () => {
    const ada = await t.signIn('ada@example.com')
    const { body: key } = await ada.post('/api/keys', { name: 'k' })
    const asKey = t.clientOf({ authorization: `Bearer ${key.token}` })
    expect((await asKey.post('/api/auth/step-up', {})).status).toBe(403)
    expect((await t.call('POST', '/api/auth/step-up', { body: {} })).status).toBe(401)
    expect((await ada.post('/api/auth/step-up', {})).status).toBe(202)
  })

  test('takes five attempts and no more, however often it is sent', async () => {
    const ada = await t.signIn('ada@example.com')
    const { body } = await ada.post('/api/auth/step-up', {})
    const code = await t.codeFor(ada.email)
    for (let i = 1; i <= 4; i++) {
      t.clock.advance(31_000)
      if (i < 3) expect((await ada.post('/api/auth/resend', { challenge_id: body.challenge_id })).status).toBe(202)
      expect((await p.redeemCode(ada, body.challenge_id, '0000-0000')).body.code).toBe('invalid_or_expired')
    }
    expect((await p.redeemCode(ada, body.challenge_id, '0000-0000')).body.code).toBe('start_again')
    expect((await p.redeemCode(ada, body.challenge_id, code)).body.code).toBe('invalid_or_expired')
    expect((await p.stepUp(ada)).status).toBe(200)
  })
})

describe('what asks for a fresh sign-in', () => {
  const asking = {
    'opening a project': (secret) => ['PATCH', `/api/projects/${secret}`, { restricted: false }],
    'restricting a project': (secret) => ['PATCH', `/api/projects/${secret}`, { restricted: true }],
    'taking somebody out of a project': (secret, guest) => ['DELETE', `/api/projects/${secret}/members/${guest}`],
    'putting somebody into a project': (secret, guest) => [
      ...(['PUT', `/api/projects/${secret}/members/${guest}`] as const),
      { role: 'viewer' },
    ],
    'the export of the audit': () => ['GET', '/api/audit/export'],
  } as const satisfies Record<string, (secret: string, guest: string) => readonly [string, string, object?]>

  test.each(Object.entries(asking))(
    'is refused to a session that is not fresh, and to every key: %s',
    async (_, of) => {
      const [admin, guest] = [await t.as('admin'), await t.as('member')]
      const { body: secret } = await admin.post('/api/projects', { name: 'Secret', restricted: true })
      await admin.put(`/api/projects/${secret.id}/members/${guest.userId}`, { role: 'member' })
      const { body: key } = await admin.post('/api/keys', { name: 'k' })
      const [method, target, body] = of(secret.id, guest.userId)
      const ask = async ({ headers }: { headers: Record<string, string> }) => {
        const answer = await t.fetch(method, target, { headers, ...(body && { body }) })
        return [answer.status, answer.ok ? null : ((await answer.json()) as { code: string }).code]
      }
      expect(await ask({ headers: { authorization: `Bearer ${key.token}` } })).toEqual([403, 'forbidden'])
      t.clock.advance(11 * minuteMs)
      expect(await ask(admin)).toEqual([403, 'step_up_required'])
      await p.stepUp(admin)
      expect((await ask(admin))[0]).toBeLessThan(300)
    },
  )

  test('is not a name: a key renames a project, whether or not it is restricted', async () => {
    const ada = await t.signIn('ada@example.com')
    const { body: secret } = await ada.post('/api/projects', { name: 'Secret', restricted: true })
    const { body: key } = await ada.post('/api/keys', { name: 'k' })
    const asKey = t.clientOf({ authorization: `Bearer ${key.token}` })
    const { status, body } = await asKey.patch(`/api/projects/${secret.id}`, { name: 'Renamed' })
    expect([status, body.name, body.restricted]).toEqual([200, 'Renamed', true])
  })
})

describe('a proof that a session asked for', () => {
  const asks = {
    'a step-up': { path: '/api/auth/step-up', body: {}, to: 'ada@example.com', subject: /^Confirm/ },
    'another address': {
      ...{ path: '/api/me/email', body: { email: 'new@example.com' }, to: 'new@example.com', subject: /^Use this/ },
    },
    'the end of the account': { path: '/api/me', body: undefined, to: 'ada@example.com', subject: /^Delete/ },
  }

  for (const [what, { path, body, to, subject }] of Object.entries(asks))
    test(`of ${what} does nothing anywhere else: not in another browser, another session, or the one that signs in`, async () => {
      const ada = await p.signInBrowser('ada@example.com')
      const [elsewhere, eve] = [await p.signInBrowser('ada@example.com'), await p.signInBrowser('eve@example.com')]
      if (path === '/api/me') t.clock.advance(11 * minuteMs)
      const asked = await t.call(path === '/api/me' ? 'DELETE' : 'POST', path, { body, headers: ada.headers })
      expect(asked.status).toBe(202)
      const mail = await p.mailTo(to, subject)
      const [link, code] = [p.linkIn(mail!.text), /\b\w{4}-\w{4}\b/.exec(mail!.text)![0]]
      const nobody = { headers: {} }
      const before = JSON.stringify(await t.db.orm.select().from(sessions))
      // Its challenge cookie alone, as if the session had ended, is not the session either.
      const { challenge = '' } = ada.cookies
      const signedOut = { headers: { origin: 'http://localhost:3000', cookie: `challenge=${challenge}` } }
      for (const who of [nobody, elsewhere, eve, signedOut]) {
        expect(await p.redeemLink(who, link)).toMatchObject({ status: 409, body: { code: 'other_browser' } })
        const typed = await p.redeemCode(who, link.challenge_id, code)
        expect([typed.status, typed.body.code, typed.headers.get('set-cookie')]).toEqual([
          400,
          'invalid_or_expired',
          null,
        ])
      }
      expect(JSON.stringify(await t.db.orm.select().from(sessions))).toBe(before)
      const me = await t.call('GET', '/api/me', { headers: ada.headers })
      expect(me.body.email).toBe('ada@example.com')
      expect((await p.redeemLink(ada, link)).status).toBe(200)
      expect((await p.redeemLink(ada, link)).body.code).toBe('invalid_or_expired')
    })

  test('leaves none of its credentials, and no address, in the database, a log line or an answer', async () => {
    const ada = await t.signIn('ada@example.com')
    const answers = [
      (await ada.post('/api/auth/step-up', {})).body,
      (await ada.post('/api/me/email', { email: 'new@example.org' })).body,
      (await ada.post('/api/invitations', { email: 'guest@example.net', role: 'viewer' })).body.id,
    ]
    await t.app.services.jobs.runNow('outbox')
    const secrets = t.inbox.list().flatMap((m) => {
      const code = /\b\w{4}-\w{4}\b/.exec(m.text)?.[0]
      return code ? [code, code.replace('-', ''), p.linkIn(m.text).secret] : []
    })
    expect(secrets.length).toBe(9)
    answers.push((await p.redeemCode(ada, answers[1].challenge_id, await t.codeFor('new@example.org'))).body.session)
    const files = await Promise.all([t.path, `${t.path}-wal`].map((path) => Bun.file(path).text()))
    const everywhere = [JSON.stringify([answers, t.events]), ...files, ...t.lines].join('\n')
    for (const secret of secrets) expect(everywhere).not.toContain(secret)
    for (const address of ['ada@example', 'example.org', 'example.net']) expect(everywhere).not.toContain(address)
    expect(everywhere).toContain(answers[0].challenge_id)
  })

  test('ends with the session', async () => {
    const ada = await t.signIn('ada@example.com')
    const { body } = await ada.post('/api/auth/step-up', {})
    const code = await t.codeFor(ada.email)
    await ada.post('/api/auth/sign-out')
    expect((await p.redeemCode(ada, body.challenge_id, code)).body.code).toBe('invalid_or_expired')
  })
})
