// The human challenge: asked of whoever is unknown, good once, for one purpose at one mailbox; and the breaker that asks more.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { and, eq } from 'drizzle-orm'
import { auditEvents } from '../db/schema'
import { createAltcha } from '../src/adapters/human-altcha'
import { createTurnstile } from '../src/adapters/human-turnstile'
import { asPerson } from '../src/console/human'
import { budgets } from '../src/features/auth/budgets'
import { spend } from '../src/features/auth/store-defence'
import type { WorkspaceId } from '../src/permissions'
import { type Answer, type Json, origin, type TestApp, testApp } from './support'

let t: TestApp
afterEach(() => t.stop())

const email = 'ada@example.com'
const start = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  t.call('POST', '/api/auth/start', { body: { email, transport: 'token', ...body }, headers })
const challengeIn = ({ status, body }: Answer) => {
  expect([status, body.code]).toEqual([403, 'human_required'])
  return body.human
}
const encode = (answer: unknown) => Buffer.from(JSON.stringify(answer)).toString('base64')
/** Does the work, as the page does. */
const solve = async ({ challenge }: Json) =>
  encode({ challenge, solution: await solveChallenge({ challenge, deriveKey }) })
const mailsTo = async (address: string) => {
  await t.app.services.jobs.runNow('outbox')
  return t.inbox.list().filter((mail) => mail.to === address)
}

describe('a proof of work', () => {
  beforeEach(async () => {
    t = await testApp({ human: (keyring) => createAltcha({ keyring, cost: 2 }) })
  })

  test('is asked of an unknown device before any mail, and lets it in', async () => {
    const asked = challengeIn(await start({}))
    expect(asked.kind).toBe('altcha')
    expect(await mailsTo(email)).toEqual([])
    expect((await start({ human: await solve(asked) })).status).toBe(202)
    expect((await mailsTo(email)).length).toBe(1)
  })

  test('is spent once, also by thirty-two at once; each refusal brings a fresh challenge', async () => {
    const human = await solve(challengeIn(await start({})))
    const answers = await Promise.all(Array.from({ length: 32 }, () => start({ human })))
    expect(answers.filter((a) => a.status === 202).length).toBe(1)
    const fresh = answers.filter((a) => a.status === 403).map((a) => challengeIn(a).challenge.signature)
    expect(new Set(fresh).size).toBe(31)
    expect((await start({ human: await solve(challengeIn(await start({ human }))) })).status).toBe(202)
  })

  test('is good for its mailbox and its purpose alone, in any spelling of the mailbox', async () => {
    const human = await solve(challengeIn(await start({})))
    challengeIn(await start({ human, email: 'bob@example.com' }))
    expect((await start({ human, email: ' ADA+tag@example.com ' })).status).toBe(202)
    const check = createAltcha({ keyring: t.ports.keyring, cost: 2 })
    const forVerify = await solve(await check.ask('verify:x', t.clock.now()))
    expect(await check.judge(forVerify, 'verify:x', t.clock.now())).not.toBeNull()
    expect(await check.judge(forVerify, 'sign-in:x', t.clock.now())).toBeNull()
  })

  test('ends after ten minutes, and its end cannot be moved', async () => {
    const asked = challengeIn(await start({}))
    const human = await solve(asked)
    const later = structuredClone(asked)
    later.challenge.parameters.expiresAt += 3600
    challengeIn(await start({ human: await solve(later) }))
    t.clock.advance(10 * 60_000)
    challengeIn(await start({ human }))
  })

  test('counts only as work that was done: everything else is a wrong answer', async () => {
    const asked = challengeIn(await start({}))
    const { challenge } = asked
    const solution = { counter: 0, derivedKey: '00'.repeat(32) }
    const easier = structuredClone(challenge)
    easier.parameters.cost = 1
    const wrong = [
      '',
      'x',
      encode(null),
      encode({ challenge, solution }),
      encode({ challenge, solution: { ...solution, counter: -1 } }),
      encode({ challenge: { ...challenge, signature: '0'.repeat(64) }, solution }),
      encode({ challenge: { parameters: challenge.parameters }, solution }),
      await solve({ challenge: easier }),
    ]
    for (const human of wrong) challengeIn(await start({ human }))
    expect((await start({ human: await solve(asked) })).status).toBe(202)
  })

  test('is not asked of a device that has signed in before, and is of its cookie elsewhere', async () => {
    const cookiesOf = ({ headers }: Answer) => headers.getSetCookie().map((cookie) => cookie.split(';')[0])
    const human = await solve(challengeIn(await start({ transport: 'cookie' }, { origin })))
    const started = await start({ transport: 'cookie', human }, { origin })
    const body = { challenge_id: started.body.challenge_id, code: await t.codeFor(email) }
    const cookie = cookiesOf(started).join('; ')
    const entered = await t.call('POST', '/api/auth/verify', { body, headers: { origin, cookie } })
    const device = cookiesOf(entered).find((c) => c?.startsWith('device='))!
    const again = (address: string, cookie: string) =>
      start({ transport: 'cookie', email: address }, { origin, cookie })
    expect((await again(email, device)).status).toBe(202)
    challengeIn(await again('bob@example.com', device))
    challengeIn(await again(email, `${device.slice(0, -1)}${device.endsWith('A') ? 'B' : 'A'}`))
    challengeIn(await start({}, { cookie: device }))
  })

  test('is done by the page without a word, and the call made again', async () => {
    const parts: (number | null)[] = []
    const call = async (human: string | undefined) => {
      const { status, body } = await start({ transport: 'cookie', ...(human && { human }) }, { origin })
      return status === 202
        ? { ok: true as const, data: body }
        : { ok: false as const, problem: { code: body.code, human: body.human } }
    }
    expect((await asPerson(call, (part) => parts.push(part))).ok).toBe(true)
    expect([parts[0], parts.at(-1)]).toEqual([0, null])
  })

  test('is asked alike for a mailbox that is known and one that is not', async () => {
    const human = await solve(challengeIn(await start({})))
    const { challenge_id, binding } = (await start({ human })).body
    await t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code: await t.codeFor(email) } })
    const [known, unknown] = [await start({}), await start({ email: 'nobody@example.com' })]
    const shape = ({ status, body, headers }: Answer) => [
      status,
      Object.keys(body.human.challenge.parameters),
      [...headers.keys()],
    ]
    expect(shape(known)).toEqual(shape(unknown))
  })
})

describe('the breaker', () => {
  beforeEach(async () => {
    t = await testApp({ human: (keyring) => createAltcha({ keyring, cost: 2 }) })
  })
  const enter = async (address: string) =>
    (await start({ email: address, human: await solve(challengeIn(await start({ email: address }))) })).body
  const verify = ({ challenge_id, binding }: Json, code: string, human?: string) =>
    t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code, ...(human && { human }) } })
  const fail = (count: number) =>
    t.db.batch(Array.from({ length: count }, () => spend([[budgets.failures, 'instance']], t.clock.now())).flat())

  test('opens with the fiftieth wrong code in a minute: a code then takes a proof too, and the operator is told once', async () => {
    const asked = await enter(email)
    await fail(48)
    expect((await verify(asked, '0000-0000')).body.code).toBe('invalid_or_expired')
    const alarms = () =>
      t.db.orm
        .select()
        .from(auditEvents)
        .where(and(eq(auditEvents.workspaceId, 0 as WorkspaceId), eq(auditEvents.action, 'guess_breaker.opened')))
    expect(await alarms()).toEqual([])
    expect((await verify(asked, '0000-0000')).body.code).toBe('invalid_or_expired')
    expect((await alarms()).map((e) => [e.chain, e.actorType])).toEqual([['instance', 'system']])
    expect(t.events.filter((e) => e.fields.event === 'guess_breaker.opened').map((e) => e.level)).toEqual(['error'])

    const code = await t.codeFor(email)
    const human = await solve(challengeIn(await verify(asked, code)))
    challengeIn(await start({ human }))
    expect((await verify(asked, '0000-0000', human)).body.code).toBe('invalid_or_expired')
    challengeIn(await verify(asked, code, human))
    expect((await verify(asked, code, await solve(challengeIn(await verify(asked, code))))).status).toBe(200)
    expect((await alarms()).length).toBe(1)
  })

  test('closes again when a minute has had fewer, and stays open for a day of two thousand', async () => {
    await fail(50)
    const asked = await enter(email)
    challengeIn(await verify(asked, '0000-0000'))
    t.clock.advance(60_000)
    expect((await verify(asked, '0000-0000')).body.code).toBe('invalid_or_expired')
    for (let i = 0; i < 40; i++) {
      await fail(50)
      t.clock.advance(61_000)
    }
    const late = await enter(email)
    challengeIn(await verify(late, '0000-0000'))
    t.clock.advance(3_600_000)
    challengeIn(await verify(await enter(email), '0000-0000'))
    t.clock.advance(86_400_000)
    const next = await enter(email)
    expect((await verify(next, '0000-0000')).body.code).toBe('invalid_or_expired')
  })

  test('leaves the link alone', async () => {
    await fail(50)
    const human = await solve(challengeIn(await start({ transport: 'cookie' }, { origin })))
    const started = await start({ transport: 'cookie', human }, { origin })
    const cookie = started.headers.getSetCookie()[0]!.split(';')[0]!
    const secret = /link#chl_\w+\.([\w-]+)/.exec((await mailsTo(email))[0]!.text)![1]
    const body = { challenge_id: started.body.challenge_id, secret }
    expect((await t.call('POST', '/api/auth/link', { body, headers: { origin, cookie } })).status).toBe(200)
  })
})

describe('codes of digits', () => {
  beforeEach(async () => {
    t = await testApp({ env: { LATCHKEY_CODE_FORMAT: 'digits' } })
  })

  test('are mailed, taken, and closed while the breaker is open: then the link alone works', async () => {
    const asked = (await start({})).body
    expect(asked.code_format).toBe('0000-0000')
    const code = await t.codeFor(email)
    expect(code).toMatch(/^\d{4}-\d{4}$/)
    const typed = { challenge_id: asked.challenge_id, binding: asked.binding, code }
    await t.db.batch(Array.from({ length: 50 }, () => spend([[budgets.failures, 'instance']], t.clock.now())).flat())
    expect((await t.call('POST', '/api/auth/verify', { body: typed })).body.code).toBe('invalid_or_expired')
    t.clock.advance(60_000)
    expect((await t.call('POST', '/api/auth/verify', { body: typed })).status).toBe(200)
  })
})

describe('Turnstile', () => {
  let cloudflare: { url: URL; stop(): unknown; asked: Json[]; answer: (body: Json) => Response }
  beforeEach(async () => {
    const asked: Json[] = []
    const answer = (_body: Json) => Response.json({ success: false, 'error-codes': ['invalid-input-response'] })
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: async (request) => {
        const body = await request.json()
        asked.push({ path: new URL(request.url).pathname, ...body })
        return cloudflare.answer(body)
      },
    })
    cloudflare = { url: server.url, stop: () => server.stop(true), asked, answer }
    const toLocal = (input: string | URL | Request, init?: RequestInit) =>
      fetch(new URL(new URL(String(input)).pathname, cloudflare.url), init)
    const options = { siteKey: 'site-key', secret: 'its-secret', hostnames: new Set(['localhost']) }
    t = await testApp({ human: (keyring) => createTurnstile({ keyring, fetch: toLocal, ...options }) })
  })
  afterEach(() => cloudflare.stop())

  const passes = (more: Json) => (body: Json) =>
    Response.json({ success: body.secret === 'its-secret', hostname: 'localhost', action: 'latchkey', ...more })

  test('is asked what its siteverify says, and its token is good once for that mailbox', async () => {
    const { kind, site_key, action, cdata } = challengeIn(await start({}))
    expect([kind, site_key, action]).toEqual(['turnstile', 'site-key', 'latchkey'])
    challengeIn(await start({ human: 'wrong-token' }))
    cloudflare.answer = passes({ cdata })
    expect((await start({ human: 'token-1' })).status).toBe(202)
    expect(cloudflare.asked.at(-1)).toEqual({
      path: '/turnstile/v0/siteverify',
      secret: 'its-secret',
      response: 'token-1',
    })
    challengeIn(await start({ human: 'token-1' }))
    challengeIn(await start({ human: 'token-2', email: 'bob@example.com' }))
  })

  test('does not count from another site, for another action, or without what it is good for', async () => {
    const { cdata } = challengeIn(await start({}))
    for (const [i, wrong] of [{ hostname: 'evil.example' }, { action: 'other' }, { cdata: '' }].entries()) {
      cloudflare.answer = passes({ cdata, ...wrong })
      challengeIn(await start({ human: `token-${i}` }))
    }
    cloudflare.answer = passes({ cdata })
    expect((await start({ human: 'token-right' })).status).toBe(202)
  })

  test('that cannot be asked lets nobody in, and says to try again', async () => {
    for (const answer of [
      () => new Response('nonsense', { status: 502 }),
      () => Response.redirect('http://x.invalid'),
    ]) {
      cloudflare.answer = answer
      expect((await start({ human: 'token' })).status).toBe(503)
    }
    await cloudflare.stop()
    expect((await start({ human: 'token' })).status).toBe(503)
    expect(await mailsTo(email)).toEqual([])
  })
})
