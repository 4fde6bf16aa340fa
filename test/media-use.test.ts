// Files in use: how many are read at once, who read which, and an end for readers who take nothing.
import { afterEach, describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { createReads } from '../src/features/media/reads'
import type { Plans } from '../src/limits'
import { createTraffic } from '../src/limits/traffic'
import type { Actor } from '../src/permissions'
import type { Hold } from '../src/ports'
import { newTestClock } from './clock'
import { countStreams } from './counted-blobs'
import { type Client, type Json, type TestApp, testApp } from './support'
import { newFolder } from './template'
import { beginRequest, readAnswer, serveOnWire } from './wire'

const size = 20 * 1024 * 1024
let t: TestApp
let stop: (() => Promise<void>) | undefined
let server: { port: number; stop: () => unknown } | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
  await stop?.()
  stop = undefined
})
const startApp = async (options: Parameters<typeof testApp>[0] = {}) => {
  t = await testApp(options)
  stop = t.stop
}

const upload = async (who: Client, raw: BodyInit) => {
  const made = await t.fetch('POST', '/api/media', { headers: who.headers, raw })
  return ((await made.json()) as { id: string }).id
}
const until = async (what: () => boolean, ms = 3000) => {
  for (const end = performance.now() + ms; !what(); await Bun.sleep(2))
    if (performance.now() > end) throw new Error('it never came to that')
}
type Bounds = { workspace?: number; caller?: number; link?: number }
const plansOf = (streams: Bounds): Plans => ({
  address: {},
  plans: { default: { workspace: {}, caller: {}, quotas: {}, streams } },
})

describe('downloads at once', () => {
  const start = async (streams: Bounds) => {
    await startApp({ ports: { plans: plansOf(streams) }, env: { LATCHKEY_RATE_LIMITS: 'default' } })
    const wire = serveOnWire(t.app.fetch)
    server = wire
    const admin = await t.as('admin')
    const url = `/media/${await upload(admin, Buffer.alloc(size))}`
    /** A reader who has begun, and takes no more for now. */
    const begin = async (who: Client): Promise<Socket> => {
      const socket = beginRequest(wire.port, 'GET', url, who.headers)
      await new Promise<void>((resolve) => socket.on('data', ({ length }) => length > 10_000 && resolve()))
      return socket.pause()
    }
    const statusOf = async (who: Client, method = 'GET') => {
      const response = await t.fetch(method, url, { headers: who.headers })
      await response.body?.cancel()
      return response.status
    }
    return { admin, url, begin, statusOf }
  }

  test('are bounded for a caller: one more is told when to come back; another caller, and a head, are not held up', async () => {
    const { admin, url, begin, statusOf } = await start({ caller: 2 })
    const open = [await begin(admin), await begin(admin)]
    const refused = await t.call('GET', url, { headers: admin.headers })
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '5'])
    expect(await statusOf(admin, 'HEAD')).toBe(200)
    const viewer = await begin(await t.as('viewer'))
    open[0]?.destroy()
    let next = 429
    for (const end = performance.now() + 3000; next === 429 && performance.now() < end; await Bun.sleep(5))
      next = await statusOf(admin)
    expect(next).toBe(200)
    for (const socket of [...open, viewer]) socket.destroy()
  })

  test('are bounded for a workspace, whoever reads; of many that come at once no more than that are let in', async () => {
    const { admin, url, statusOf } = await start({ workspace: 3 })
    const stranger = await t.signIn('stranger@example.com')
    const viewer = await t.as('viewer')
    const both = [admin, viewer, admin, viewer, admin, viewer, admin, viewer]
    const answers = await Promise.all(both.map((who) => t.fetch('GET', url, { headers: who.headers })))
    expect(answers.map((a) => a.status).sort()).toEqual([200, 200, 200, 429, 429, 429, 429, 429])
    const own = await upload(stranger, 'mine')
    expect((await t.fetch('GET', `/media/${own}`, { headers: stranger.headers })).status).toBe(200)
    expect(await statusOf(stranger)).toBe(404)
    for (const answer of answers) await answer.body?.cancel()
  })

  test('that end without having begun hold no place for long', () => {
    const clock = newTestClock()
    const { outgoing: take } = createTraffic({ plans: plansOf({ caller: 1 }), clock })
    const actor = { id: 'usr_a', lineage: null, workspace: { id: 1, publicId: 'wsp_a', name: 'A' } } as unknown as Actor
    const hold: Hold = { signal: new AbortController().signal, release: () => {} }
    const lost = take(actor)
    expect(() => take(actor)).toThrow('Too many')
    clock.advance(10_001)
    const running = take(actor).begin(hold)
    clock.advance(60_000)
    expect(() => take(actor)).toThrow('Too many')
    const late = lost.begin(hold)
    running.release()
    expect(() => take(actor)).toThrow('Too many')
    late.release()
    take(actor).end()
    take(actor).end()
  })
})

describe('who read which file', () => {
  const rows = async (admin: Client, more = '') =>
    (await admin.get(`/api/audit?action=media.read${more}`)).body.data.map((e: Json) => [e.actor.id, ...e.targets])

  test('is on record once for each actor, file and hour, by bytes alone, and by a link as its maker', async () => {
    await startApp()
    const [admin, viewer] = [await t.as('admin'), await t.as('viewer')]
    const [file, other] = [await upload(admin, 'bytes'), await upload(admin, 'more')]
    const get = (who: Client, id: string, headers = {}, method = 'GET') =>
      t.fetch(method, `/media/${id}`, { headers: { ...who.headers, ...headers } })
    const etag = (await get(admin, file, {}, 'HEAD')).headers.get('etag') ?? ''
    await get(admin, file, { 'if-none-match': etag })
    await get(await t.signIn('stranger@example.com'), file)
    await t.app.services.jobs.runNow('reads')
    expect(await rows(admin)).toEqual([])
    for (const range of ['bytes=0-0', 'bytes=1-', 'bytes=-1'])
      expect((await get(viewer, file, { range })).status).toBe(206)
    expect(await rows(admin)).toEqual([])
    await t.app.services.jobs.runNow('reads')
    expect(await rows(admin)).toEqual([[viewer.userId, file]])
    await get(viewer, file)
    await get(admin, other)
    const { body: link } = await viewer.post(`/api/media/${file}/links`, {})
    expect((await t.fetch('GET', link.url)).status).toBe(200)
    await t.app.services.jobs.runNow('reads')
    expect(await rows(admin, `&target=${other}`)).toEqual([[admin.userId, other]])
    expect(await rows(admin, `&target=${link.id}`)).toEqual([[viewer.userId, file, link.id]])
    expect(await rows(admin)).toHaveLength(3)
    t.clock.advance(3_600_000)
    await get(viewer, file)
    await t.app.services.jobs.runNow('reads')
    const again = await t.signIn(admin.email)
    expect(await rows(again, `&actor=${viewer.userId}`)).toHaveLength(3)
    const exported = await t.fetch('GET', '/api/audit/export', { headers: again.headers })
    expect(exported.status).toBe(200)
  })

  test('is kept until it is written, and bounded: what is over that is counted', async () => {
    const written: Json[] = []
    let fails = true
    const write = async (_author: unknown, event: Json) => {
      if (fails) throw new Error('away')
      written.push(event)
      return []
    }
    const reads = createReads({ write: write as never, clock: newTestClock() })
    const origin = { requestId: 'r', client: null, userAgent: null }
    const actor = { id: 'usr_a', person: null, origin } as unknown as Actor
    for (let i = 0; i < 1003; i++) reads.note(actor, { id: `med_${i}`, version: 1, link: undefined })
    await expect(reads.flush()).rejects.toThrow('away')
    fails = false
    await reads.flush()
    expect(written).toHaveLength(1001)
    expect(written.at(-1)).toMatchObject({ targets: [], change: { uncounted: 3 } })
    await reads.flush()
    expect(written).toHaveLength(1001)
  })
})

test('a reader who takes nothing is ended, its file closed; one who reads gets all', async () => {
  const disk = createDiskBlobs({ folder: newFolder() })
  const { counted, open } = countStreams(disk)
  await startApp({ blobs: counted })
  const told: (number | undefined)[] = []
  const own = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    maxRequestBodySize: 2 ** 30,
    fetch: (request, self) =>
      t.app.fetch(
        request,
        () => '127.0.0.1',
        (seconds = 0) => {
          told.push(seconds)
          self.timeout(request, Math.min(seconds, 1))
        },
      ),
  })
  server = { port: own.port ?? 0, stop: () => own.stop(true) }
  const admin = await t.as('admin')
  const url = `/media/${await upload(admin, Buffer.alloc(size))}`
  const stuck = beginRequest(server.port, 'GET', url, admin.headers)
  await new Promise<void>((resolve) => stuck.once('data', () => resolve()))
  stuck.pause()
  const reading = await readAnswer(beginRequest(server.port, 'GET', url, admin.headers))
  expect([reading.whole, reading.body.length, told.at(-1)]).toEqual([true, size, 240])
  expect(open()).toBe(1)
  await until(() => open() === 0, 15_000)
  stuck.destroy()
}, 20_000)
