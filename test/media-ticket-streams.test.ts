// Reading by a ticket: in places of its own, no longer than ten minutes after it, and cut with its link.
import { afterEach, describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import type { Plans } from '../src/limits'
import { createTraffic } from '../src/limits/traffic'
import type { Actor } from '../src/permissions'
import { newTestClock } from './clock'
import { type TestApp, testApp } from './support'
import { beginRequest, readAnswer, serveOnWire } from './wire'

// More than the buffers of a connection take, and sent from the file where no ticket is.
const atHand = 16 * 1024 * 1024
const large = 20 * 1024 * 1024
const [expiryMs, graceMs] = [2000, 600_000]
let stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.reverse()) await stop()
  stops = []
})
type Bounds = { workspace?: number; caller?: number; link?: number }
const plansOf = (streams: Bounds): Plans => ({
  address: {},
  plans: { default: { workspace: {}, caller: {}, quotas: {}, streams } },
})
const until = async (what: () => boolean | Promise<boolean>) => {
  for (const end = performance.now() + 3000; !(await what()); await Bun.sleep(5))
    if (performance.now() > end) throw new Error('it never came to that')
}

const start = async (streams: Bounds, size = atHand) => {
  const t: TestApp = await testApp({ ports: { plans: plansOf(streams) }, env: { LATCHKEY_RATE_LIMITS: 'default' } })
  const wire = serveOnWire(t.app.fetch)
  stops.push(t.stop, wire.stop)
  const admin = await t.as('admin')
  const made = await t.fetch('POST', '/api/media', { headers: admin.headers, raw: Buffer.alloc(size, 7) })
  const { id } = (await made.json()) as { id: string }
  const newLink = async (): Promise<{ id: string; url: string }> =>
    (await admin.post(`/api/media/${id}/links`, { expires_in_seconds: expiryMs / 1000 })).body
  /** A reader who has begun, and takes no more for now. */
  const begin = async (url: string, headers: Record<string, string> = {}) => {
    const socket: Socket = beginRequest(wire.port, 'GET', url, headers)
    stops.push(() => socket.destroy())
    const answer = readAnswer(socket)
    await new Promise<void>((resolve) => socket.on('data', ({ length }) => length > 10_000 && resolve()))
    socket.pause()
    const finish = () => {
      socket.resume()
      return answer
    }
    return { socket, finish }
  }
  const statusOf = async (url: string, headers: Record<string, string> = {}) => {
    const response = await t.fetch('GET', url, { headers })
    await response.body?.cancel()
    return response.status
  }
  return { t, admin, own: `/media/${id}`, newLink, begin, statusOf }
}

describe('readers by a ticket', () => {
  test('are bounded for their link; its maker and another link go on, and a place is free when one leaves', async () => {
    const { admin, own, newLink, begin, statusOf } = await start({ caller: 1, link: 3 })
    const { url } = await newLink()
    const readers = [await begin(url), await begin(url), await begin(url)]
    expect(await statusOf(url)).toBe(429)
    expect(await statusOf(url, { range: 'bytes=0-99' })).toBe(429)
    expect(await statusOf((await newLink()).url)).toBe(200)
    expect(await statusOf(own, admin.headers)).toBe(200)
    readers[0]?.socket.destroy()
    await until(async () => (await statusOf(url)) === 200)
  })

  test('count for the workspace, and for each link as for a caller where the plan does not say', async () => {
    const all = await start({ workspace: 2 })
    for (let i = 0; i < 2; i++) await all.begin((await all.newLink()).url)
    expect(await all.statusOf(all.own, all.admin.headers)).toBe(429)
    const each = await start({ caller: 1 })
    const { url } = await each.newLink()
    await each.begin(url)
    expect([await each.statusOf(url), await each.statusOf(each.own, each.admin.headers)]).toEqual([429, 200])
  })

  for (const size of [atHand, large])
    test(`of ${size} bytes go on after its end, and are cut ten minutes later; its maker is not`, async () => {
      const { t, admin, own, newLink, begin, statusOf } = await start({}, size)
      const [{ url }, { url: other }] = [await newLink(), await newLink()]
      const [kept, lost, maker] = [await begin(other), await begin(url), await begin(own, admin.headers)]
      t.clock.advance(expiryMs + graceMs - 1)
      expect(await statusOf(url)).toBe(404)
      const whole = await kept.finish()
      expect([whole.whole, whole.body.length]).toEqual([true, size])
      t.clock.advance(1)
      expect((await lost.finish()).whole).toBeFalse()
      expect((await maker.finish()).whole).toBeTrue()
    })

  test('are cut with their link, though they take nothing: the place is free', async () => {
    const { admin, own, newLink, begin, statusOf } = await start({ workspace: 1 })
    const { id, url } = await newLink()
    const { finish } = await begin(url)
    expect(await statusOf(own, admin.headers)).toBe(429)
    expect((await admin.delete(`/api/links/${id}`)).status).toBe(204)
    await until(async () => (await statusOf(own, admin.headers)) === 200)
    expect((await finish()).whole).toBeFalse()
  })

  test('are cut so where the file has 2 MiB; those by another link get every byte', async () => {
    const size = 2 * 1024 * 1024
    const { t, admin, newLink } = await start({}, size)
    const [lost, kept] = [await newLink(), await newLink()]
    const [cut, whole] = [await t.fetch('GET', lost.url), await t.fetch('GET', kept.url)]
    const reader = cut.body?.getReader()
    expect((await reader?.read())?.value?.length).toBeLessThan(size)
    expect((await admin.delete(`/api/links/${lost.id}`)).status).toBe(204)
    const rest = async () => {
      while (!(await reader?.read())?.done) {}
    }
    await expect(rest()).rejects.toThrow('taken away')
    expect(Buffer.from(await whole.arrayBuffer()).equals(Buffer.alloc(size, 7))).toBeTrue()
  })

  test('who are players get a window with its length', async () => {
    const { newLink, t } = await start({})
    const { url } = await newLink()
    const answer = await t.fetch('GET', url, { headers: { range: 'bytes=5-', 'sec-fetch-dest': 'video' } })
    expect([answer.status, answer.headers.get('content-range')]).toEqual([206, `bytes 5-262148/${atHand}`])
    expect((await answer.arrayBuffer()).byteLength).toBe(262_144)
  })
})

test('one timer ends all that is read by a link, and what begins after it', async () => {
  const clock = newTestClock()
  let sleeps = 0
  const sleep = (ms: number) => {
    sleeps++
    return clock.sleep(ms)
  }
  const traffic = createTraffic({ plans: plansOf({ link: 2 }), clock: { ...clock, sleep } })
  const actor = { id: 'usr_a', lineage: null, workspace: { id: 1, publicId: 'wsp_a' } } as unknown as Actor
  const link = { id: 'lnk_a', expiresAt: clock.now() + expiryMs }
  const hold = () => ({ signal: new AbortController().signal, release: () => {} })
  const [one, two] = [traffic.outgoing(actor, { link }).begin(hold()), traffic.outgoing(actor, { link }).begin(hold())]
  const own = traffic.outgoing(actor).begin(hold())
  expect([sleeps, one.signal.aborted]).toEqual([1, false])
  clock.advance(expiryMs + graceMs)
  await Promise.resolve()
  expect([one, two, own].map(({ signal }) => signal.aborted)).toEqual([true, true, false])
  two.release()
  const late = traffic.outgoing(actor, { link }).begin(hold())
  await until(() => late.signal.aborted)
})
