// Budgets of mail and of guesses: what is spent stays spent, nobody can tell, and a stranger spends nothing of yours.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { like } from 'drizzle-orm'
import { budgetUses } from '../db/schema'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { budgets } from '../src/features/auth/budgets'
import { createBudgetReader } from '../src/features/auth/store-defence'
import { clientBehind, createNetworks } from '../src/lib/networks'
import { type Answer, origin, type TestApp, testApp } from './support'
import { newFolder } from './template'

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
const wrong = '0000-0000'
const email = 'ada@example.com'

let t: TestApp
beforeEach(async () => {
  t = await testApp({ env: { LATCHKEY_RATE_LIMITS: 'default' } })
})
afterEach(() => t.stop())

const start = (address = email, from = '203.0.113.7', cookie?: string) => {
  const sent = cookie === undefined ? { email: address, transport: 'token' } : { email: address }
  return t.call('POST', '/api/auth/start', { body: sent, from, headers: { origin, ...(cookie && { cookie }) } })
}
const verify = ({ body: { challenge_id, binding } }: Answer, code: string) =>
  t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code } })
const mailsTo = async (address = email) => {
  await t.app.services.jobs.runNow('outbox')
  return t.inbox.list().filter((mail) => mail.to === address && /[0-9A-Z]{4}-[0-9A-Z]{4}/.test(mail.text))
}
const codeIn = (mail: { text: string } | undefined) => /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(mail?.text ?? '')![0]
const cookiesOf = ({ headers }: Answer) =>
  headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')

const usesOf = (budget: string) =>
  t.db.orm
    .select()
    .from(budgetUses)
    .where(like(budgetUses.subject, `${budget}:%`))

/** Signs in as a browser; gives its device cookie. */
const knownDevice = async (address = email) => {
  const started = await start(address, '198.51.100.1', 'none=1')
  const challenge = cookiesOf(started)
  const [mail] = await mailsTo(address)
  const body = { challenge_id: started.body.challenge_id, code: codeIn(mail) }
  const answer = await t.call('POST', '/api/auth/verify', { body, headers: { origin, cookie: challenge } })
  expect(answer.status).toBe(200)
  return { device: /device=[\w-]+/.exec(cookiesOf(answer))![0] }
}

/** Spends the guesses of a mailbox from unknown devices: four challenges of five attempts. */
const spendGuesses = async (address = email) => {
  for (let i = 0; i < 4; i++) {
    const started = await start(address, `192.0.2.${i}`)
    for (let tried = 0; tried < 5; tried++) await verify(started, wrong)
  }
}

describe('mails to a mailbox', () => {
  test('are five in an hour and ten in a day, then one in each half hour, and every answer is the same', async () => {
    const answers: Answer[] = []
    const sent: number[] = []
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 7; i++) answers.push(await start(email, `192.0.2.${i}`))
      sent.push((await mailsTo()).length)
      t.clock.advance(hour)
    }
    expect(sent).toEqual([5, 10, 11])
    for (let half = 1; half <= 3; half++) {
      t.clock.advance(30 * minute)
      for (let i = 0; i < 3; i++) answers.push(await start())
      expect((await mailsTo()).length).toBe(11 + half)
    }
    const shapes = answers.map(({ status, body, headers }) =>
      JSON.stringify([status, Object.keys(body), [...headers.keys()].sort(), body.resend_after_seconds]),
    )
    expect(new Set(shapes).size).toBe(1)
    t.clock.advance(2 * day)
    await start()
    expect((await mailsTo()).length).toBe(15)
  })

  test('are counted over spellings of one mailbox, and resends with them', async () => {
    await start('ada+one@example.com')
    await start('ada+two@example.com')
    const asked = await start('ada@example.com')
    const { challenge_id, binding } = asked.body
    for (let i = 0; i < 2; i++) {
      t.clock.advance(30_000)
      expect((await t.call('POST', '/api/auth/resend', { body: { challenge_id, binding } })).status).toBe(202)
    }
    expect((await start('ada+three@example.com')).status).toBe(202)
    await t.app.services.jobs.runNow('outbox')
    expect(t.inbox.list().length).toBe(5)
  })

  test('from a known device are its own: a stranger spends none of them', async () => {
    const { device } = await knownDevice()
    t.clock.advance(2 * day)
    for (let i = 0; i < 8; i++) await start(email, `192.0.2.${i}`)
    const spent = (await mailsTo()).length
    await start(email, '192.0.2.99')
    expect((await mailsTo()).length).toBe(spent)
    await start(email, '192.0.2.99', device)
    expect((await mailsTo()).length).toBe(spent + 1)
  })
})

describe('mails for a client', () => {
  test('are twenty in an hour for an IPv4 address, and for a whole IPv6 /64', async () => {
    for (const [same, other] of [
      [() => '203.0.113.9', '203.0.113.10'],
      [(i: number) => `2001:db8:0:1::${i.toString(16)}`, '2001:db8:0:2::1'],
    ] as const) {
      const before = t.inbox.list().length
      for (let i = 1; i <= 25; i++) expect((await start(`p${i}-${before}@example.com`, same(i))).status).toBe(202)
      await t.app.services.jobs.runNow('outbox')
      expect(t.inbox.list().length - before).toBe(20)
      await start(`q-${before}@example.com`, other)
      await t.app.services.jobs.runNow('outbox')
      expect(t.inbox.list().length - before).toBe(21)
    }
  })

  test('are twenty in an hour for a session that would move to one address after another', async () => {
    const person = await t.signIn(email)
    await start('wanted@example.com')
    const move = (to: string) => person.post('/api/me/email', { email: to })
    const before = t.inbox.list().length
    for (let i = 0; i < 25; i++) expect((await move(`other-${i}@example.com`)).status).toBe(202)
    await t.app.services.jobs.runNow('outbox')
    expect(t.inbox.list().length - before).toBe(21)
    t.clock.advance(30 * minute)
    const again = await t.signIn('bob@example.com')
    for (let i = 0; i < 10; i++) await again.post('/api/me/email', { email: 'wanted@example.com' })
    expect((await mailsTo('wanted@example.com')).length).toBe(5)
    await start('wanted@example.com')
    expect((await mailsTo('wanted@example.com')).length).toBe(5)
  })

  test('are of each session for itself at its own mailbox: a stolen one keeps no other from a proof', async () => {
    const [stolen, own] = [await t.signIn(email), await t.signIn(email)]
    const stepUps = async (session: typeof own, count: number) => {
      const before = (await mailsTo()).length
      for (let i = 0; i < count; i++) expect((await session.post('/api/auth/step-up', {})).status).toBe(202)
      return (await mailsTo()).length - before
    }
    expect(await stepUps(stolen, 25)).toBe(5)
    expect(await stepUps(own, 1)).toBe(1)
  })

  test('are counted for whom a trusted proxy names, and nobody else can say who they are', () => {
    const isTrusted = createNetworks(['10.0.0.0/8'])
    const headers = new Headers({ 'x-forwarded-for': '198.51.100.1, 203.0.113.5' })
    expect(clientBehind(isTrusted, '10.0.0.1', headers)).toBe('203.0.113.5')
    expect(clientBehind(isTrusted, '192.0.2.1', headers)).toBe('192.0.2.1')
  })
})

describe('a known device behind an address that others share', () => {
  const shared = '192.0.2.77'
  const strangersSpendIt = async () => {
    for (let i = 0; i < 20; i++) await start(`stranger-${i}@example.com`, shared)
  }

  test('gets its mail after strangers have had all of the address; an unknown one gets none', async () => {
    const { device } = await knownDevice()
    t.clock.advance(hour)
    await strangersSpendIt()
    const before = (await mailsTo()).length
    await start(email, shared)
    expect((await mailsTo()).length).toBe(before)
    const asked = await start(email, shared, device)
    expect((await mailsTo()).length).toBe(before + 1)
    t.clock.advance(30_000)
    const { challenge_id } = asked.body
    const headers = { origin, cookie: `${device}; ${cookiesOf(asked)}` }
    const again = await t.call('POST', '/api/auth/resend', { body: { challenge_id }, from: shared, headers })
    expect([again.status, (await mailsTo()).length]).toEqual([202, before + 2])
  })

  test('has five mails of its own there, at its own mailbox alone, and uses up none of the address', async () => {
    const { device } = await knownDevice()
    t.clock.advance(day)
    const before = t.inbox.list().length
    for (let i = 0; i < 30; i++) await start(email, shared, device)
    await t.app.services.jobs.runNow('outbox')
    expect(t.inbox.list().length - before).toBe(5)
    for (let i = 0; i < 25; i++) await start(`other-${i}@example.com`, shared, device)
    await t.app.services.jobs.runNow('outbox')
    expect(t.inbox.list().length - before).toBe(5 + 20)
  })
})

describe('wrong codes at a mailbox', () => {
  test('are twenty in a day; then no code is compared, but the link works', async () => {
    await spendGuesses()
    const started = await start(email, '192.0.2.50', 'none=1')
    const [mail] = await mailsTo()
    const headers = { origin, cookie: cookiesOf(started) }
    const { challenge_id } = started.body
    const right = { challenge_id, code: codeIn(mail) }
    const typed = await t.call('POST', '/api/auth/verify', { body: right, headers })
    expect([typed.status, typed.body.code]).toEqual([400, 'invalid_or_expired'])
    const secret = /link#chl_\w+\.([\w-]+)/.exec(mail!.text)![1]
    expect((await t.call('POST', '/api/auth/link', { body: { challenge_id, secret }, headers })).status).toBe(200)
  })

  test('are not wrong ones that came right: thirty sign-ins in a day use up none', async () => {
    for (let i = 0; i < 30; i++) {
      t.clock.advance(45 * minute)
      const started = await start()
      expect((await verify(started, codeIn((await mailsTo())[0]))).status).toBe(200)
    }
  })

  test('from strangers leave a known device its own, and another mailbox all of them', async () => {
    const { device } = await knownDevice()
    t.clock.advance(hour)
    await spendGuesses()
    const asked = await start(email, '192.0.2.60', device)
    const headers = { origin, cookie: `${device}; ${cookiesOf(asked)}` }
    const body = { challenge_id: asked.body.challenge_id, code: codeIn((await mailsTo())[0]) }
    expect((await t.call('POST', '/api/auth/verify', { body, headers })).status).toBe(200)
    const other = await start('bob@example.com')
    expect((await verify(other, codeIn((await mailsTo('bob@example.com'))[0]))).status).toBe(200)
  })

  test('are never more than twenty, also when they come at once', async () => {
    const started = await Promise.all(Array.from({ length: 8 }, (_, i) => start(email, `192.0.2.${i}`)))
    const answers = await Promise.all(started.flatMap((s) => Array.from({ length: 5 }, () => verify(s, wrong))))
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([400]))
    expect(await usesOf('guesses')).toHaveLength(20)
    expect(await usesOf('failures')).toHaveLength(20)
  })
})

test('what is spent stays spent over a restart', async () => {
  await spendGuesses()
  const path = join(newFolder(), 'latchkey.db')
  for (const end of ['', '-wal']) copyFileSync(t.path + end, path + end)
  const again = await openLocalDatabase({ path })
  const [use] = await usesOf('guesses')
  const share = [budgets.guesses, use!.subject.slice('guesses:'.length)] as const
  expect(await createBudgetReader(again)(share, t.clock.now())).toBe(false)
  expect(await createBudgetReader(again)(share, t.clock.now() + day)).toBe(true)
  await again.close()
})
