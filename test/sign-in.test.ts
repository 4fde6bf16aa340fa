// Sign-in by mail: one challenge is one proof, whoever asks, however often, from wherever.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { challenges, sessions, users } from '../db/schema'
import { origin, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const email = 'ada@example.com'
const start = async (address = email) =>
  (await t.call('POST', '/api/auth/start', { body: { email: address, transport: 'token' } })).body
const verify = (body: Record<string, unknown>) => t.call('POST', '/api/auth/verify', { body })
const linkIn = (text: string) => /link#(chl_\w+)\.([\w-]+)/.exec(text)!
const linkFor = async (address = email) => {
  await t.codeFor(address)
  const [, challenge_id, secret] = linkIn(t.inbox.list().find((m) => m.to === address)!.text)
  return { challenge_id, secret }
}
const asBrowser = (cookie?: string) => ({ origin, ...(cookie && { cookie }) })
/** Begins in a browser: the cookie that binds, and what the mail said. */
const startInBrowser = async (address = email) => {
  const answer = await t.call('POST', '/api/auth/start', { body: { email: address }, headers: asBrowser() })
  return { body: answer.body, cookie: answer.headers.get('set-cookie')!.split(';')[0]! }
}
const countSessions = async () => (await t.db.orm.select().from(sessions)).length
const wrong = '0000-0000'

describe('one challenge', () => {
  for (const kind of ['code', 'link', 'mixed'] as const)
    test(`gives one session to 64 who redeem it at once by ${kind}`, async () => {
      for (let round = 0; round < 5; round++) {
        const { body, cookie } = await startInBrowser(`round${round}@example.com`)
        const code = await t.codeFor(`round${round}@example.com`)
        const secret = await linkFor(`round${round}@example.com`)
        const before = await countSessions()
        const answers = await Promise.all(
          Array.from({ length: 64 }, (_, i) => {
            const byLink = kind === 'link' || (kind === 'mixed' && i % 2 === 0)
            const [path, sent] = byLink ? ['link', secret] : ['verify', { challenge_id: body.challenge_id, code }]
            return t.call('POST', `/api/auth/${path}`, { body: sent, headers: asBrowser(cookie) })
          }),
        )
        expect(answers.filter((a) => a.status === 200).length).toBe(1)
        expect(new Set(answers.filter((a) => a.status !== 200).map((a) => a.body.code))).toEqual(
          new Set(['invalid_or_expired']),
        )
        expect((await countSessions()) - before).toBe(1)
      }
    })

  test('takes five attempts, and the right code no more after them; a resend gives none back', async () => {
    const { challenge_id, binding } = await start()
    const code = await t.codeFor(email)
    for (let i = 1; i <= 2; i++)
      expect((await verify({ challenge_id, binding, code: wrong })).body.code).toBe('invalid_or_expired')
    t.clock.advance(31_000)
    expect((await t.call('POST', '/api/auth/resend', { body: { challenge_id, binding } })).status).toBe(202)
    expect(await t.codeFor(email)).toBe(code)
    for (let i = 3; i <= 4; i++)
      expect((await verify({ challenge_id, binding, code: wrong })).body.code).toBe('invalid_or_expired')
    expect((await verify({ challenge_id, binding, code: wrong })).body.code).toBe('start_again')
    expect((await verify({ challenge_id, binding, code })).body.code).toBe('invalid_or_expired')
    expect((await t.signIn(email)).token).toBeString()
  })

  test('keeps its count when the process dies between counting and comparing', async () => {
    const { challenge_id, binding } = await start()
    const crash = t.ports.keyring.find
    t.ports.keyring.find = () => {
      throw new Error('the process died')
    }
    expect((await verify({ challenge_id, binding, code: wrong })).status).toBe(500)
    t.ports.keyring.find = crash
    const [row] = await t.db.orm.select().from(challenges).where(eq(challenges.id, challenge_id))
    expect(row!.attempts).toBe(1)
  })

  test('is redeemed only with its binding, within 15 minutes, and in any spelling of its code', async () => {
    const { challenge_id, binding } = await start()
    const other = await start('bob@example.com')
    const code = await t.codeFor(email)
    for (const wrongBinding of [undefined, other.binding])
      expect((await verify({ challenge_id, code, binding: wrongBinding })).body.code).toBe('invalid_or_expired')
    t.clock.advance(15 * 60_000 - 1)
    const typed = ` ${code.toLowerCase().replace('-', ' ').replace(/0/g, 'o').replace(/1/g, 'l')} `
    expect((await verify({ challenge_id, binding, code: typed })).status).toBe(200)
    const late = await start()
    const lateCode = await t.codeFor(email)
    t.clock.advance(15 * 60_000)
    expect(
      (
        await verify({
          ...late,
          code: lateCode,
          expires_at: undefined,
          resend_after_seconds: undefined,
          code_format: undefined,
        })
      ).body.code,
    ).toBe('invalid_or_expired')
  })

  test('dies with its siblings when one of them is redeemed', async () => {
    const first = await start()
    const firstCode = await t.codeFor(email)
    await t.signIn(email)
    expect(
      (await verify({ challenge_id: first.challenge_id, binding: first.binding, code: firstCode })).body.code,
    ).toBe('invalid_or_expired')
  })

  test('is sent again at most twice, 30 seconds apart, and only to who asked', async () => {
    const { challenge_id, binding } = await start()
    const resend = (body: object) => t.call('POST', '/api/auth/resend', { body })
    const early = await resend({ challenge_id, binding })
    expect([early.status, early.headers.get('retry-after')]).toEqual([429, '30'])
    expect(early.headers.get('ratelimit')).toBe('"challenge";r=0;t=30')
    expect(early.headers.get('ratelimit-policy')).toBe('"challenge";q=1;w=30')
    t.clock.advance(30_000)
    expect((await resend({ challenge_id })).body.code).toBe('invalid_or_expired')
    expect((await resend({ challenge_id, binding })).status).toBe(202)
    t.clock.advance(30_000)
    expect((await resend({ challenge_id, binding })).status).toBe(202)
    t.clock.advance(30_000)
    expect((await resend({ challenge_id, binding })).body.code).toBe('invalid_or_expired')
  })
})

describe('a link', () => {
  test('signs in only the browser that asked; anywhere else nothing is consumed', async () => {
    const { cookie } = await startInBrowser()
    const body = await linkFor()
    const elsewhere = await t.call('POST', '/api/auth/link', { body, headers: asBrowser() })
    expect([elsewhere.status, elsewhere.body.code, elsewhere.headers.get('set-cookie')]).toEqual([
      409,
      'other_browser',
      null,
    ])
    const guessed = await t.call('POST', '/api/auth/link', {
      body: { ...body, secret: 'x'.repeat(43) },
      headers: asBrowser(cookie),
    })
    expect(guessed.body.code).toBe('invalid_or_expired')
    const here = await t.call('POST', '/api/auth/link', { body, headers: asBrowser(cookie) })
    expect(here.status).toBe(200)
    expect(here.headers.getSetCookie()[0]).toMatch(/^session=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/)
    expect(here.body.token).toBeUndefined()
  })
})

describe('a first sign-in', () => {
  test('makes one user and one workspace, also when two challenges of the address are redeemed at once', async () => {
    const [one, two] = [await start(), await start()]
    await t.codeFor(email)
    const codes = t.inbox
      .list()
      .filter((m) => m.to === email)
      .map((m) => /\b\w{4}-\w{4}\b/.exec(m.text)![0])
    const tries = [one, two].flatMap(({ challenge_id, binding }) =>
      codes.map((code) => verify({ challenge_id, binding, code })),
    )
    const done = (await Promise.all(tries)).filter((a) => a.status === 200)
    expect(done.length).toBeGreaterThanOrEqual(1)
    expect((await t.db.orm.select().from(users)).length).toBe(1)
  })

  test('is open to the domains that may, and looks the same to the others', async () => {
    const closed = await testApp({ env: { LATCHKEY_SIGN_UP: 'domains:example.org' } })
    const ask = (address: string) =>
      closed.call('POST', '/api/auth/start', { body: { email: address, transport: 'token' } })
    const [barred, welcome] = [await ask('ada@example.com'), await ask('ada@example.org')]
    expect([barred.status, Object.keys(barred.body)]).toEqual([welcome.status, Object.keys(welcome.body)])
    await closed.app.services.jobs.runNow('outbox')
    expect(closed.inbox.list().map((m) => m.to)).toEqual(['ada@example.org'])
    await closed.stop()
  })
})

describe('no credential', () => {
  test('of a sign-in stands in the database, in a log line, or in an answer but the one that gives it', async () => {
    const { challenge_id, binding } = await start()
    const code = await t.codeFor(email)
    const { secret } = await linkFor()
    const { body } = await verify({ challenge_id, binding, code })
    const client = t.clientOf({ authorization: `Bearer ${body.token}` })
    const answers = JSON.stringify([(await client.get('/api/me')).body, (await client.get('/api/sessions')).body])
    const files = await Promise.all(
      ['', '-wal'].map((end) =>
        Bun.file(t.path + end)
          .text()
          .catch(() => ''),
      ),
    )
    const everywhere = [answers, ...files, ...t.lines, JSON.stringify(t.events)].join('\n')
    for (const canary of [code, code.replace('-', ''), secret!, binding, body.token, body.token.split('.')[2]])
      expect(everywhere.includes(canary)).toBe(false)
    expect(files[0]! + files[1]!).not.toContain(email)
    expect(everywhere).toContain(challenge_id)
  })
})
