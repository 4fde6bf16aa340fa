// Known devices: remembered at sign-in, each person's own, listed, and forgotten when they are told to go.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { devices } from '../db/schema'
import { type Answer, origin, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const cookiesOf = ({ headers }: Answer) => headers.getSetCookie().map((cookie) => cookie.split(';')[0]!)
const named = (answer: Answer, name: string) => cookiesOf(answer).find((cookie) => cookie.startsWith(`${name}=`))

/** A browser with its cookies, signed in by code. */
const browser = async (email: string, device?: string) => {
  const held = device === undefined ? {} : { cookie: device }
  const started = await t.call('POST', '/api/auth/start', { body: { email }, headers: { origin, ...held } })
  const cookie = [named(started, 'challenge'), device].filter(Boolean).join('; ')
  const body = { challenge_id: started.body.challenge_id, code: await t.codeFor(email) }
  const entered = await t.call('POST', '/api/auth/verify', { body, headers: { origin, cookie } })
  expect(entered.status).toBe(200)
  const own = named(entered, 'device')!
  const client = t.clientOf({ origin, cookie: `${named(entered, 'session')}; ${own}` })
  const list = async () => (await client.get('/api/devices')).body.data
  return { ...client, entered, device: own, list, sessionId: entered.body.session.id as string }
}
const rows = () => t.db.orm.select().from(devices)

describe('a device', () => {
  test('is remembered by a cookie that scripts cannot read, and kept while it is known', async () => {
    const first = await browser('ada@example.com')
    const [header] = first.entered.headers.getSetCookie().filter((c) => c.startsWith('device='))
    expect(header).toMatch(/^device=[\w-]{43}; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax$/)
    const again = await browser('ada@example.com', first.device)
    expect(again.device).toBe(first.device)
    const [row, ...more] = await rows()
    expect(more).toEqual([])
    expect(JSON.stringify(row)).not.toContain(first.device.slice('device='.length))
    const elsewhere = await browser('ada@example.com')
    expect(elsewhere.device).not.toBe(first.device)
    expect((await rows()).length).toBe(2)
  })

  test('that we never gave out is not taken over', async () => {
    const planted = `device=${'A'.repeat(43)}`
    expect((await browser('ada@example.com', planted)).device).not.toBe(planted)
  })

  test("is each person's own, also in one browser", async () => {
    const ada = await browser('ada@example.com')
    const bob = await browser('bob@example.com', ada.device)
    expect(bob.device).toBe(ada.device)
    expect((await rows()).length).toBe(2)
    const [adas] = await ada.list()
    expect((await bob.delete(`/api/devices/${adas.id}`)).status).toBe(404)
    expect((await bob.list()).map((d: { id: string }) => d.id)).not.toContain(adas.id)
    expect((await ada.list()).length).toBe(1)
  })

  test('is none for a program that asked for a token', async () => {
    const person = await t.signIn('ada@example.com')
    expect((await person.get('/api/devices')).body).toEqual({ data: [], next_cursor: null })
  })
})

describe('the list', () => {
  test('says which is this one, newest first, in pages, and never a secret', async () => {
    const first = await browser('ada@example.com')
    t.clock.advance(1000)
    const second = await browser('ada@example.com')
    const list = await second.list()
    expect(list.map((d: { current: boolean }) => d.current)).toEqual([true, false])
    expect(Object.keys(list[0])).toEqual(['id', 'current', 'label', 'created_at', 'last_used_at'])
    expect(JSON.stringify(list)).not.toContain(first.device.slice('device='.length))
    const page = (await second.get('/api/devices?limit=1')).body
    expect(page.data[0].id).toBe(list[0].id)
    expect((await second.get(`/api/devices?limit=1&cursor=${page.next_cursor}`)).body.data[0].id).toBe(list[1].id)
  })

  test('holds the twenty that were used last', async () => {
    const first = await browser('ada@example.com')
    for (let i = 0; i < 20; i++) {
      t.clock.advance(1000)
      await browser('ada@example.com')
    }
    expect((await rows()).length).toBe(20)
    expect((await browser('ada@example.com', first.device)).device).not.toBe(first.device)
  })
})

describe('a device is known no more', () => {
  const isKnown = async (email: string, device: string) => (await browser(email, device)).device === device

  test('once it is forgotten; its session goes on', async () => {
    const ada = await browser('ada@example.com')
    const [row] = await ada.list()
    expect((await ada.delete(`/api/devices/${row.id}`)).status).toBe(204)
    expect((await ada.delete(`/api/devices/${row.id}`)).status).toBe(404)
    expect((await ada.get('/api/me')).status).toBe(200)
    expect(await isKnown('ada@example.com', ada.device)).toBe(false)
  })

  test("once its session is ended from another; one's own sign-out keeps it", async () => {
    const [lost, kept] = [await browser('ada@example.com'), await browser('ada@example.com')]
    expect((await kept.delete(`/api/sessions/${lost.sessionId}`)).status).toBe(204)
    expect((await kept.post('/api/auth/sign-out')).status).toBe(204)
    expect(await isKnown('ada@example.com', kept.device)).toBe(true)
    expect(await isKnown('ada@example.com', lost.device)).toBe(false)
  })

  test('once the others, or all, are signed out', async () => {
    const [here, there] = [await browser('ada@example.com'), await browser('ada@example.com')]
    expect((await here.post('/api/sessions/revoke', { which: 'others' })).status).toBe(200)
    expect(await isKnown('ada@example.com', here.device)).toBe(true)
    expect(await isKnown('ada@example.com', there.device)).toBe(false)
    const again = await browser('ada@example.com', here.device)
    expect((await again.post('/api/sessions/revoke', { which: 'all' })).status).toBe(200)
    expect(await isKnown('ada@example.com', here.device)).toBe(false)
  })
})
