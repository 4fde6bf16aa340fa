// Bytes under way: a stream lasts as long as the right to it, and leaves nothing behind however it ends.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { receive } from '../src/features/uploads/receive'
import { countStreams } from './counted-blobs'
import { type TestApp, testApp } from './support'
import { newFolder } from './template'
import { beginRequest, readAnswer, serveOnWire } from './wire'

const folder = newFolder()
const disk = createDiskBlobs({ folder })
const size = 20 * 1024 * 1024
const { counted, open } = countStreams(disk)

let app: TestApp
let server: ReturnType<typeof serveOnWire>
let admin: Awaited<ReturnType<TestApp['as']>>
let url: string

beforeAll(async () => {
  app = await testApp({ blobs: counted })
  server = serveOnWire(app.app.fetch)
  admin = await app.as('admin')
  url = await upload()
})
afterEach(() => until(() => open() === 0))
afterAll(async () => {
  server.stop()
  await app.stop()
})

const upload = async () => {
  const made = await app.fetch('POST', '/api/media', { headers: admin.headers, raw: Buffer.alloc(size, 7) })
  return ((await made.json()) as { url: string }).url
}
const until = async (what: () => boolean) => {
  for (const end = performance.now() + 2000; !what(); await Bun.sleep(1))
    if (performance.now() > end) throw new Error('it never came to that')
}

/** Begins to read the file, `change`s something once the first bytes are there, and reads on. */
const readAround = async (headers: Record<string, string>, change: () => Promise<unknown>, target = url) => {
  const socket = beginRequest(server.port, 'GET', target, headers)
  const answer = readAnswer(socket)
  // A reset takes with it what the reader has not read yet: the head must be here before.
  await new Promise<void>((resolve) => socket.on('data', ({ length }) => length > 10_000 && resolve()))
  socket.pause()
  await change()
  socket.resume()
  return answer
}
const sessionOf = async (who: Awaited<ReturnType<TestApp['as']>>) =>
  (await who.get('/api/sessions')).body.data.find((s: { current: boolean }) => s.current).id as string

describe('a download under way', () => {
  test('comes whole while its right lasts', async () => {
    const answer = await readAround(admin.headers, async () => {})
    expect([answer.status, answer.whole, answer.body.length]).toEqual([200, true, size])
  })

  test('is cut when its session is revoked, and cannot be taken for the whole', async () => {
    const viewer = await app.as('viewer')
    const answer = await readAround(viewer.headers, async () =>
      viewer.delete(`/api/sessions/${await sessionOf(viewer)}`),
    )
    expect([answer.status, answer.whole]).toEqual([200, false])
    expect(answer.body.length).toBeLessThan(size)
  })

  test('is cut when its reader is no longer a member', async () => {
    const viewer = await app.as('viewer')
    const answer = await readAround(viewer.headers, () => admin.delete(`/api/members/${viewer.userId}`))
    expect(answer.whole).toBeFalse()
  })

  test('is cut when the file is deleted, and goes on when another is', async () => {
    const [kept, lost] = [await upload(), await upload()]
    const remove = () => admin.delete(lost.replace('/media/', '/api/media/'))
    expect(
      (await readAround(admin.headers, async () => expect((await remove()).status).toBe(204), lost)).whole,
    ).toBeFalse()
    const other = await upload()
    const removeOther = () => admin.delete(other.replace('/media/', '/api/media/'))
    expect((await readAround(admin.headers, removeOther, kept)).whole).toBeTrue()
  })

  test('goes on when what changes leaves the right to it', async () => {
    const answer = await readAround(admin.headers, () =>
      admin.patch(`/api/workspaces/${admin.workspace.id}`, { name: 'New' }),
    )
    expect([answer.whole, answer.body.length]).toEqual([true, size])
  })

  test('stops being read from disk when its reader goes', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = beginRequest(server.port, 'GET', url, { ...admin.headers, range: `bytes=${i}-` })
      await new Promise((resolve) => socket.once('readable', resolve))
      socket.destroy()
    }
    await until(() => open() === 0)
  })
})

describe('an upload under way', () => {
  const staged = () => readdirSync(join(folder, 'staged')).length
  const begin = async (who: { headers: Record<string, string> }) => {
    const socket = beginRequest(server.port, 'POST', '/api/media', { ...who.headers, 'Content-Length': '6' })
    socket.write('abc')
    await until(() => staged() > 0)
    return socket
  }

  test('ends when its session is revoked, and nothing of it stays', async () => {
    const member = await app.as('member')
    const objects = readdirSync(join(folder, 'objects')).length
    const socket = await begin(member)
    await member.delete(`/api/sessions/${await sessionOf(member)}`)
    expect((await readAnswer(socket)).status).toBe(403)
    expect([staged(), readdirSync(join(folder, 'objects')).length]).toEqual([0, objects])
  })

  test('ends when its sender may only read from now on; one who still may write goes on', async () => {
    const member = await app.as('member')
    const [kept, lost] = [await begin(admin), await begin(member)]
    expect((await admin.patch(`/api/members/${member.userId}`, { role: 'viewer' })).status).toBe(200)
    expect((await readAnswer(lost)).status).toBe(403)
    kept.write('def')
    expect((await readAnswer(kept)).status).toBe(201)
  })

  test('that is slower than the floor ends, and one that is not goes on', async () => {
    const floor = { minBytes: 2, windowMs: 100 }
    const feed = (bytes: number) =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          const timer = setInterval(() => controller.enqueue(new Uint8Array(bytes)), 10)
          setTimeout(() => {
            clearInterval(timer)
            controller.close()
          }, 250)
        },
        cancel() {},
      })
    const take = (body: ReadableStream<Uint8Array>) =>
      receive(body, async () => {}, { maxBytes: 1000, floor }, new AbortController().signal)
    await expect(take(new ReadableStream({}))).rejects.toMatchObject({ code: 'malformed' })
    expect(await take(feed(10))).toBeGreaterThan(20)
  })
})
