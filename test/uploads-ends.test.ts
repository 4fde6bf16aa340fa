// How uploads end otherwise: out of quota, out of time, out of disk, in a crash. Nothing is lost that was acknowledged, and
// nothing taken is kept.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createDiskBlobs, systemCalls } from '../src/adapters/blobs-disk'
import { createApp } from '../src/app'
import { Failure } from '../src/errors'
import type { Plans } from '../src/limits'
import { origin, type TestApp, testApp } from './support'
import { newFolder } from './template'
import { bytesOf, chunkType, metadataOf, tusOf, until } from './tus'
import { beginRequest, serveOnWire } from './wire'

const day = 86_400_000
let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
let tus: ReturnType<typeof tusOf>
const start = async (options: Parameters<typeof testApp>[0] = {}) => {
  t = await testApp(options)
  admin = await t.as('admin')
  tus = tusOf(t, admin)
}
afterEach(() => t.stop())

const files = (folder: 'staged' | 'objects') => readdirSync(join(t.mediaFolder, folder))
const used = async (who = admin) => (await who.get('/api/usage/quotas')).body.quotas[0].used as number
const expire = () => t.app.services.uploads.expire(new AbortController().signal)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const plansOf = (storage_bytes: number): Plans => ({
  address: {},
  plans: { default: { workspace: {}, caller: {}, quotas: { storage_bytes } } },
})

describe('the quota', () => {
  test('is taken when an upload is begun: of 400 at once as many are as fit, and not one more', async () => {
    await start({ ports: { plans: plansOf(1000) } })
    const made = await Promise.all(Array.from({ length: 400 }, () => tus.create(10)))
    const of = (status: number) => made.filter((answer) => answer.status === status)
    expect([of(201).length, of(402).length, await used()]).toEqual([100, 300, 1000])
    expect(of(402)[0]!.body.code).toBe('quota_exceeded')
    const at = of(201)[0]!.headers.get('location') ?? ''
    await tus.send('DELETE', at)
    expect([(await tus.create(11)).status, (await tus.create(10)).status]).toEqual([402, 201])
  })

  test('is taken once for a file and the upload it came by', async () => {
    await start()
    const file = await tus.file(await tus.create(3, { raw: 'abc' }))
    expect(await used()).toBe(3)
    await admin.delete(`/api/media/${file.id}`)
    expect(await used()).toBe(0)
    t.clock.advance(day)
    const again = await t.signIn(admin.email)
    expect([await expire(), await used(again)]).toEqual([1, 0])
  })

  test('is taken by what comes in one request too, while it comes, and given back where it does not end', async () => {
    await start()
    const server = serveOnWire(t.app.fetch)
    const length = { 'content-length': String(5 << 20) }
    const socket = beginRequest(server.port, 'POST', '/api/media', { ...admin.headers, ...length })
    await until(async () => (await used()) === 5 << 20)
    socket.destroy()
    await until(async () => (await used()) === 0)
    server.stop()
  })

  test('that a request could not give back is given back in time', async () => {
    await start()
    const server = serveOnWire(t.app.fetch)
    const { batch } = t.db
    const length = { 'content-length': String(5 << 20) }
    const socket = beginRequest(server.port, 'POST', '/api/media', { ...admin.headers, ...length })
    await until(async () => (await used()) === 5 << 20)
    let refused = 0
    t.db.batch = async () => {
      refused++
      throw new Failure('unavailable')
    }
    socket.destroy()
    await until(() => refused > 0)
    t.db.batch = batch
    t.clock.advance(day - 1)
    expect([await expire(), await used(await t.signIn(admin.email))]).toEqual([0, 5 << 20])
    t.clock.advance(1)
    expect([await expire(), await used(await t.signIn(admin.email))]).toEqual([1, 0])
    server.stop()
  })
})

describe('time', () => {
  beforeEach(() => start())
  test('ends an upload that nobody goes on with, with its bytes, its quota and an audit row', async () => {
    const [kept, left] = [await tus.begin(6), await tus.begin(6)]
    for (const at of [kept, left]) await tus.patch(at, 0, 'abc')
    t.clock.advance(day - 1000)
    const later = tusOf(t, await t.signIn(admin.email))
    const more = await later.patch(kept, 3, 'd')
    expect(more.headers.get('upload-expires')).toBe(new Date(t.clock.now() + day).toUTCString())
    t.clock.advance(1000)
    expect((await later.head(left)).status).toBe(404)
    expect([await expire(), files('staged').length]).toEqual([1, 1])
    const again = await t.signIn(admin.email)
    expect(await used(again)).toBe(6)
    const { body } = await again.get('/api/audit?action=upload.expired')
    expect(body.data).toMatchObject([{ targets: [left.split('/').pop()], actor: { type: 'system' } }])
    const last = await tusOf(t, again).patch(kept, 4, 'ef')
    expect((await tusOf(t, again).file(last)).bytes.toString()).toBe('abcdef')
  })

  test('forgets where a file came from, without a word, and leaves the file', async () => {
    const whole = await tus.create(3, { raw: 'abc' })
    t.clock.advance(day)
    expect(await expire()).toBe(1)
    const again = await t.signIn(admin.email)
    expect((await again.get('/api/audit?action=upload.expired')).body.data).toEqual([])
    expect((await tusOf(t, again).file(whole)).bytes.toString()).toBe('abc')
    expect(files('objects')).toHaveLength(1)
  })
})

describe('after a crash', () => {
  const bytes = bytesOf(300_000)
  beforeEach(() => start())
  /** The program anew, over what is on disk: nothing it had in memory is there. */
  const restarted = async (): Promise<typeof tus> => {
    const app = await createApp(t.config, t.ports)
    const call: TestApp['call'] = async (method, target, { headers = {}, raw } = {}) => {
      const init = {
        method,
        headers: { host: new URL(origin).host, ...headers },
        ...(raw !== undefined && { body: raw }),
      }
      const response = await app.fetch(new Request(origin + target, init), () => null)
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
    }
    return tusOf({ ...t, call }, admin)
  }

  test('an upload goes on, and its digest is that of all of it', async () => {
    const at = await tus.begin(bytes.length)
    await tus.patch(at, 0, bytes.subarray(0, 100_000))
    const anew = await restarted()
    expect(await anew.offset(at)).toBe(100_000)
    await anew.patch(at, 100_000, bytes.subarray(100_000, 200_000))
    const file = await tus.file(await (await restarted()).patch(at, 200_000, bytes.subarray(200_000)))
    expect([file.sha256, file.bytes.equals(bytes)]).toEqual([sha256(bytes), true])
  })

  const failing = { rename: false, batch: false }
  /** Sends an upload, the last step of which fails, and gives where it is. */
  const sendUpTo = async (step: keyof typeof failing, status: number) => {
    const at = await tus.begin(bytes.length)
    await tus.patch(at, 0, bytes.subarray(0, 100_000))
    failing[step] = true
    expect((await tus.patch(at, 100_000, bytes.subarray(100_000))).status).toBe(status)
    failing[step] = false
    return at
  }
  const becomesAFile = async (at: string) => {
    const answer = await (await restarted()).head(at)
    expect(answer.headers.get('upload-offset')).toBe(String(bytes.length))
    const file = await tus.file(answer)
    expect([file.sha256, file.bytes.equals(bytes), await used()]).toEqual([sha256(bytes), true, bytes.length])
    expect((await tus.file(await tus.head(at))).id).toBe(file.id)
    expect([files('staged').length, files('objects').length]).toEqual([0, 1])
  }

  test('before it was published, what came whole becomes a file when somebody asks', async () => {
    await t.stop()
    const rename: typeof systemCalls.rename = async (from, to) => {
      if (failing.rename) throw new Error('killed here')
      return systemCalls.rename(from, to)
    }
    const folder = newFolder()
    await start({
      env: { LATCHKEY_BLOBS: `file:${folder}` },
      blobs: createDiskBlobs({ folder, calls: { ...systemCalls, rename } }),
    })
    await becomesAFile(await sendUpTo('rename', 500))
  })

  test('between that and its row, what came whole becomes a file when somebody asks', async () => {
    const { batch } = t.db
    t.db.batch = async (statements) => {
      if (failing.batch && statements.some(({ sql }) => sql.startsWith('insert into "media"')))
        throw new Failure('unavailable')
      return batch(statements)
    }
    const at = await sendUpTo('batch', 503)
    expect(files('objects').length).toBe(1)
    await becomesAFile(at)
  })

  test('bytes that are lost are said to be, and the upload begins again', async () => {
    const at = await tus.begin(6)
    await tus.patch(at, 0, 'abc')
    for (const name of files('staged')) rmSync(join(t.mediaFolder, 'staged', name))
    const lost = await tus.patch(at, 3, 'def')
    expect([lost.status, lost.headers.get('upload-offset'), await tus.offset(at)]).toEqual([409, '0', 0])
    expect((await tus.file(await tus.patch(at, 0, 'uvwxyz'))).bytes.toString()).toBe('uvwxyz')
  })
})

test('a disk that fails in the middle loses no durable byte, and the upload goes on when it is well', async () => {
  let isFull = false
  const write: typeof systemCalls.write = async (fd, chunk, offset, position) => {
    if (!isFull) return systemCalls.write(fd, chunk, offset, position)
    // Some of it is written, as it is when the room ends.
    await systemCalls.write(fd, chunk.subarray(0, offset + 7), offset, position)
    throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  await start({ blobs: createDiskBlobs({ folder: newFolder(), calls: { ...systemCalls, write } }) })
  const bytes = bytesOf(50_000)
  const at = await tus.begin(bytes.length)
  await tus.patch(at, 0, bytes.subarray(0, 20_000))
  isFull = true
  expect((await tus.patch(at, 20_000, bytes.subarray(20_000))).body.code).toBe('disk_full')
  isFull = false
  expect(await tus.offset(at)).toBe(20_000)
  const file = await tus.file(await tus.patch(at, 20_000, bytes.subarray(20_000)))
  expect([file.sha256, file.bytes.equals(bytes)]).toEqual([sha256(bytes), true])
})

describe('the name of an upload', () => {
  beforeEach(() => start())
  const begin = (metadata: string) => tus.create(1, { headers: { 'upload-metadata': metadata } })

  test.each([
    ['quotes', `"it's" <b>.txt`],
    ['commas and other scripts', 'смета, 見積 😀.pdf'],
    ['255 characters', 'n'.repeat(255)],
  ])('is kept with %s', async (_, name) => {
    const made = await begin(metadataOf({ filename: name }))
    const file = await tus.file(await tus.patch(made.headers.get('location') ?? '', 0, 'x'))
    expect(file.name).toBe(name)
  })

  test.each([
    ['a line break', 'a\r\nSet-Cookie: x'],
    ['a direction mark', 'gpj.\u202eexe'],
    ['NUL', 'a\0b'],
    ['300 characters', 'n'.repeat(300)],
    ['nothing but blanks', '  '],
  ])('is refused with %s, and nothing of it repeated', async (_, name) => {
    const { status, body } = await begin(metadataOf({ filename: name }))
    expect([status, body.code, await used()]).toEqual([422, 'invalid', 0])
    expect(JSON.stringify(body)).not.toContain(name)
  })

  test.each(['filename !', 'filename YQ==,,', 'filename /w==', 'a b c', `x ${'A'.repeat(5000)}`])(
    'is not read from %p',
    async (metadata) => {
      expect((await begin(metadata)).status).toBe(422)
    },
  )

  test('is "untitled" where there is none', async () => {
    for (const metadata of ['', 'flag', 'name YQ==']) {
      const at = (await begin(metadata)).headers.get('location') ?? ''
      expect((await tus.send('GET', at)).body.name).toBe('untitled')
    }
    expect((await tus.send('POST', '/api/uploads', { headers: { ...chunkType, 'upload-length': '1' } })).status).toBe(
      201,
    )
  })
})
