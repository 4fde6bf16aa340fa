// Asking for a code tells nothing: known or not, barred or not, spent or not, the answer and its time are the same.
import { afterEach, describe, expect, test } from 'bun:test'
import { createCredentials } from '../src/features/auth/credentials'
import { randomBytes } from '../src/lib/crypto'
import { type Answer, type TestApp, testApp } from './support'

let t: TestApp

const start = (email: string) => t.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
/** What an answer looks like once what is random in it is left out. */
const shapeOf = ({ status, headers, body }: Answer) => {
  const lengths = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value).length]))
  const fixed = [...headers].map(([name, value]) => [name, name === 'x-request-id' ? '' : value])
  return JSON.stringify([status, lengths, fixed, body.resend_after_seconds, body.code_format])
}

describe('asking for a code', () => {
  afterEach(() => t.stop())

  test('answers 1,000 known mailboxes as it answers 1,000 that nobody knows', async () => {
    t = await testApp()
    await t.signIn('known@example.com')
    const shapes = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const pair = [start('known@example.com'), start(`nobody-${i}@example.com`)]
      for (const answer of await Promise.all(i % 2 ? pair : pair.reverse())) shapes.add(shapeOf(answer))
    }
    expect(shapes.size).toBe(1)
  }, 60_000)

  test('answers whom sign-up is closed to, and who has had all mails, as everybody', async () => {
    t = await testApp({ env: { LATCHKEY_SIGN_UP: 'domains:example.org', LATCHKEY_RATE_LIMITS: 'default' } })
    const shapes = new Set<string>()
    for (let i = 0; i < 8; i++)
      for (const email of ['barred-@example.com', 'welcome@example.org']) shapes.add(shapeOf(await start(email)))
    await t.app.services.jobs.runNow('outbox')
    expect(t.inbox.list().map(({ to }) => to)).toEqual(Array(5).fill('welcome@example.org'))
    expect(shapes.size).toBe(1)
  })

  test('takes the floor, to the millisecond, for everybody', async () => {
    t = await testApp({ env: { LATCHKEY_START_FLOOR_MS: '250' } })
    const answered: string[] = []
    const emails = Array.from({ length: 20 }, (_, i) => `${i}@example.com`)
    const asked = emails.map((email) => start(email).then(() => void answered.push(email)))
    const settle = async () => {
      for (let i = 0; i < 50; i++) await new Promise((done) => setImmediate(done))
    }
    await settle()
    t.clock.advance(249)
    await settle()
    expect(answered).toEqual([])
    t.clock.advance(1)
    await Promise.all(asked)
    expect(answered.length).toBe(20)
  })

  test('shows no difference in time between the two under a floor that runs', async () => {
    t = await testApp()
    await t.signIn('known@example.com')
    // The clock of the program stands still in tests; its floor runs here.
    t.ports.clock.sleep = () => Bun.sleep(floorMs)
    const floorMs = 8
    const times: { known: boolean; ms: number }[] = []
    const measure = async (known: boolean, i: number) => {
      const before = performance.now()
      await start(known ? 'known@example.com' : `nobody-${i}@example.com`)
      times.push({ known, ms: performance.now() - before })
    }
    for (let i = 0; i < 150; i++) {
      const first = Math.random() < 0.5
      await measure(first, i)
      await measure(!first, i)
    }
    const ranked = times.sort((a, b) => a.ms - b.ms)
    const sum = ranked.reduce((total, { known }, rank) => total + (known ? rank + 1 : 0), 0)
    // Mann–Whitney: five deviations happen by chance once in 1.7 million runs.
    const n = times.length / 2
    const z = (sum - (n * (2 * n + 1)) / 2) / Math.sqrt((n * n * (2 * n + 1)) / 12)
    expect(Math.abs(z)).toBeLessThan(5)
    expect(ranked[0]!.ms).toBeGreaterThan(floorMs - 1)
  }, 60_000)
})

test('of 1,000,000 codes each character is as likely at each place', () => {
  const key = randomBytes(32)
  const { codeOf } = createCredentials({ current: () => ({ kid: 'k', key }), find: () => key }, 'letters')
  const counts = Array.from({ length: 8 }, () => new Map<string, number>())
  const total = 1_000_000
  for (let i = 0; i < total; i++) {
    const code = codeOf({ id: `chl_${i}`, kid: 'k', purpose: 'sign-in', addressHash: 'a' })
    for (let place = 0; place < 8; place++)
      counts[place]!.set(code[place]!, (counts[place]!.get(code[place]!) ?? 0) + 1)
  }
  const expected = total / 32
  for (const places of counts) {
    expect([...places.keys()].sort().join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ')
    const chi = [...places.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    // 31 degrees of freedom: 90 is passed by chance once in 3 million.
    expect(chi).toBeLessThan(90)
  }
}, 30_000)

test('of 1,000,000 codes of digits each digit is as likely at each place', () => {
  const key = randomBytes(32)
  const { codeOf } = createCredentials({ current: () => ({ kid: 'k', key }), find: () => key }, 'digits')
  const counts = Array.from({ length: 8 }, () => Array<number>(10).fill(0))
  for (let i = 0; i < 1_000_000; i++)
    for (const [place, digit] of [
      ...codeOf({ id: `chl_${i}`, kid: 'k', purpose: 'sign-in', addressHash: 'a' }),
    ].entries())
      counts[place]![Number(digit)]!++
  for (const digits of counts) {
    const chi = digits.reduce((sum, count) => sum + (count - 100_000) ** 2 / 100_000, 0)
    // 9 degrees of freedom: 48 is passed by chance once in 4 million.
    expect(chi).toBeLessThan(48)
  }
}, 30_000)
