// How long a session lives, how many there are, and what it costs to know: by the clock now, whatever was remembered.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { sessions } from '../db/schema'
import { createTokens } from '../src/adapters/tokens-jwt'
import { type Env, readConfig } from '../src/config'
import { type Json, origin, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const email = 'ada@example.com'
const [hour, day] = [3_600_000, 86_400_000]
type Person = Awaited<ReturnType<TestApp['signIn']>>
const statusOf = async (who: Person) => (await who.get('/api/me')).status
const kidOf = (who: Person) => JSON.parse(Buffer.from(who.token.split('.')[0]!, 'base64url').toString()).kid
const rowOf = async (who: Person) => {
  const { body } = await who.get('/api/sessions')
  const id = body.data.find((s: Json) => s.current).id
  return (await t.db.orm.select().from(sessions).where(eq(sessions.id, id)))[0]!
}

describe('a session', () => {
  test('ends after seven days without use, and not before', async () => {
    const ada = await t.signIn(email)
    t.clock.advance(7 * day - 1)
    expect(await statusOf(ada)).toBe(200)
    t.clock.advance(7 * day - 1)
    expect(await statusOf(ada)).toBe(200)
    t.clock.advance(7 * day)
    expect(await statusOf(ada)).toBe(401)
  })

  test('ends after thirty days however much it is used, also while it is remembered', async () => {
    const ada = await t.signIn(email)
    for (let i = 0; i < 29; i++) {
      t.clock.advance(day)
      expect(await statusOf(ada)).toBe(200)
    }
    t.clock.advance(day - 1)
    expect(await statusOf(ada)).toBe(200)
    t.clock.advance(1)
    expect(await statusOf(ada)).toBe(401)
  })

  test('lives as long as the settings say, within a floor and a ceiling', async () => {
    const env = { LATCHKEY_SESSION_IDLE_DAYS: '1', LATCHKEY_SESSION_DAYS: '2' }
    const strict = await testApp({ env })
    const ada = await strict.signIn(email)
    strict.clock.advance(day - 1)
    expect((await ada.get('/api/me')).status).toBe(200)
    strict.clock.advance(day - 1)
    expect((await ada.get('/api/me')).status).toBe(200)
    strict.clock.advance(2)
    expect((await ada.get('/api/me')).status).toBe(401)
    await strict.stop()
    const wrong: Env[] = [
      { LATCHKEY_SESSION_IDLE_DAYS: '0' },
      { LATCHKEY_SESSION_IDLE_DAYS: '31' },
      { LATCHKEY_SESSION_DAYS: '0' },
      { LATCHKEY_SESSION_DAYS: '91' },
    ]
    for (const setting of wrong)
      expect(() => readConfig({ LATCHKEY_ENV: 'test', ...setting }, { source: 'source' })).toThrow(
        Object.keys(setting)[0],
      )
  })

  test('is neither ended early nor carried beyond its end by a clock that jumps an hour', async () => {
    const ada = await t.signIn(email)
    const { body: key } = await ada.post('/api/keys', { name: 'k' })
    const asKey = t.clientOf({ authorization: `Bearer ${key.token}` })
    const end = t.clock.now() + 30 * day
    for (const jump of [hour, -hour, -hour, hour, hour, -hour]) {
      t.clock.advance(jump)
      expect([await statusOf(ada), (await asKey.get('/api/whoami')).status]).toEqual([200, 200])
      await t.app.services.jobs.runNow('sessions-seen')
    }
    for (let i = 0; i < 5; i++) {
      t.clock.advance(6 * day - 2)
      if (i < 4) expect(await statusOf(ada)).toBe(200)
      t.clock.advance(-hour)
      expect(await statusOf(ada)).toBe(200)
      await t.app.services.jobs.runNow('sessions-seen')
      t.clock.advance(hour)
    }
    t.clock.advance(end - t.clock.now() - 1)
    expect(await statusOf(ada)).toBe(200)
    expect((await rowOf(ada)).expiresAt).toBe(end)
    t.clock.advance(1)
    expect(await statusOf(ada)).toBe(401)
    t.clock.advance(-hour)
    expect((await rowOf(await t.signIn(email))).expiresAt).toBe(end - hour + 30 * day)
  })
})

describe('of a person’s sessions', () => {
  test('there are at most twenty: one more ends the oldest at once, and no other', async () => {
    const all: Person[] = []
    for (let i = 0; i < 20; i++) {
      all.push(await t.signIn(email))
      t.clock.advance(31 * 60_000)
    }
    const bob = await t.signIn('bob@example.com')
    for (const one of all) expect(await statusOf(one)).toBe(200)
    const last = await t.signIn(email)
    expect(await Promise.all([...all, last, bob].map(statusOf))).toEqual([401, ...Array(21).fill(200)])
    expect((await last.get('/api/sessions')).body.data).toHaveLength(20)
  })

  test('those that have ended take no place', async () => {
    const all: Person[] = []
    for (let i = 0; i < 20; i++) {
      all.push(await t.signIn(email))
      t.clock.advance(31 * 60_000)
    }
    await all[7]!.post('/api/auth/sign-out')
    const last = await t.signIn(email)
    expect(await Promise.all([all[0]!, all[7]!, last].map(statusOf))).toEqual([200, 401, 200])
  })
})

describe('when a session was last used', () => {
  test('is written at most once a minute, in one batch for all, and in no request', async () => {
    const people = [await t.signIn(email), await t.signIn('bob@example.com'), await t.signIn('cy@example.com')]
    await t.app.services.jobs.runNow('sessions-seen')
    const { batch } = t.db
    const sent: number[] = []
    t.db.batch = (statements) => {
      sent.push(statements.length)
      return batch(statements)
    }
    t.clock.advance(1000)
    for (let i = 0; i < 50; i++) for (const one of people) await one.get('/api/me')
    expect(sent).toEqual([])
    await t.app.services.jobs.runNow('sessions-seen')
    expect(sent).toEqual([3])
    await t.app.services.jobs.runNow('sessions-seen')
    expect(sent).toEqual([3])
    t.db.batch = batch
    expect((await rowOf(people[0]!)).lastSeenAt).toBe(t.clock.now())
  })

  test('is written when the program stops', async () => {
    const ada = await t.signIn(email)
    t.clock.advance(hour)
    const { id } = await rowOf(ada)
    await t.app.stop()
    const [row] = await t.db.orm.select().from(sessions).where(eq(sessions.id, id))
    expect(row?.lastSeenAt).toBe(t.clock.now())
  })
})

describe('a new signing key', () => {
  test('keeps everybody signed in, signs new sessions from its time on, and is learnt by other nodes', async () => {
    const ada = await t.signIn(email)
    const { keyring, clock } = t.ports
    await keyring.rotate('session', clock.now() + 2 * 60_000)
    expect(kidOf(await t.signIn(email))).toBe(kidOf(ada))
    t.clock.advance(2 * 60_000)
    await t.app.services.jobs.runNow('keyring')
    const later = await t.signIn(email)
    expect(kidOf(later)).not.toBe(kidOf(ada))
    for (const one of [ada, later]) expect(await statusOf(one)).toBe(200)
    // As after a restart: nothing is remembered, and both keys are found.
    const tokens = createTokens({ keyring })
    for (const one of [ada, later])
      expect(await tokens.verify(one.token, clock.now())).toMatchObject({ sub: ada.userId })
  })
})

describe('a session token', () => {
  test('in any other spelling is nobody’s: each byte changed, cut off or added', async () => {
    const ada = await t.signIn(email)
    const { token } = ada
    const others = [
      ...Array.from(
        { length: token.length },
        (_, i) => `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`,
      ),
      ...Array.from({ length: token.length }, (_, i) => token.slice(0, i)),
      ...['=', '.', 'A', '%3D', '..'].map((more) => token + more),
      ...['A', '.', '=', 'Bearer '].map((more) => more + token),
      token.toLowerCase(),
      token.replaceAll('-', '+').replaceAll('_', '/').concat('='),
    ].filter((other) => other !== token)
    const wrong: string[] = []
    for (const other of others) {
      const answers = [
        await t.call('GET', '/api/me', { headers: { authorization: `Bearer ${other}` } }),
        await t.call('GET', '/api/me', { headers: { cookie: `session=${other}`, origin } }),
      ]
      // Against guessing keys, an address that is wrong too often is refused for a while.
      if (!answers.every(({ status }) => status === 401 || status === 429)) wrong.push(other)
      t.clock.advance(10_000)
    }
    expect(wrong).toEqual([])
    expect(others.length).toBeGreaterThan(700)
    expect(await statusOf(ada)).toBe(200)
  })
})
