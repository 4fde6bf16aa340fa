// What a hostile sender of uploads cannot have: the process for itself, disk beyond the quota, memory without end; and bytes
// that were acknowledged are not lost to the clock.
import { afterEach, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../src/errors'
import { CreateHeaders } from '../src/features/uploads/model'
import { uploadsAtOnce } from '../src/limits'
import { createTraffic } from '../src/limits/traffic'
import type { Actor } from '../src/permissions'
import { newTestClock } from './clock'
import { storages } from './storages'
import { type TestApp, testApp } from './support'
import { bytesOf, tusOf } from './tus'

let t: TestApp
let stop: (() => Promise<void>) | undefined
let admin: Awaited<ReturnType<TestApp['as']>>
let tus: ReturnType<typeof tusOf>
const start = async (options: Parameters<typeof testApp>[0] = {}) => {
  t = await testApp(options)
  stop = t.stop
  admin = await t.as('admin')
  tus = tusOf(t, admin)
}
afterEach(async () => {
  await stop?.()
  stop = undefined
})

const day = 86_400_000
const wrong = { 'upload-checksum': `sha1 ${Buffer.alloc(20).toString('base64')}` }
/** A body that is sent piece by piece. */
const held = () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const send = (text: string) => writer.write(new TextEncoder().encode(text))
  return { readable, send, end: () => writer.close(), breakOff: () => writer.abort(new Error('the sender is gone')) }
}

describe('Upload-Metadata', () => {
  const shapes = ['a ,', 'a , ', ' ,', 'a ', ', ', 'a A=,', 'a  ,']
  const hostile = (shape: string, bytes: number) => `a ${shape.repeat(bytes / shape.length)}!,`
  const parse = (metadata: string) => CreateHeaders.safeParse({ 'upload-length': '1', 'upload-metadata': metadata })
  /** The least of some runs, in ms: what else the machine does only adds. */
  const msOf = (metadata: string) =>
    Math.min(
      ...Array.from({ length: 5 }, () => {
        const began = performance.now()
        parse(metadata)
        return performance.now() - began
      }),
    )

  // Small first: a pattern that doubles its time with each pair fails here, and not after the end of days.
  test.each(shapes)('made of %p is looked at in time that grows with its length', (shape) => {
    const benign = `a ${'A'.repeat(4080)}`
    for (const bytes of [48, 60, 72, 84, 96, 108, 4080]) {
      expect(parse(hostile(shape, bytes)).success).toBeFalse()
      expect(msOf(hostile(shape, bytes))).toBeLessThan(msOf(benign) * 20 + 5)
    }
  })

  test('that is hostile is refused over the wire, whatever its length; what blanks are between pairs is no matter', async () => {
    await start()
    const create = (metadata: string) => tus.create(1, { headers: { 'upload-metadata': metadata } })
    for (const shape of shapes) expect((await create(hostile(shape, 4080))).status).toBe(422)
    expect((await create('a ,'.repeat(20_000))).status).toBeOneOf([400, 422])
    for (const good of ['filename YQ==,flag', 'flag , filename YQ==', 'flag ,filename YQ== ,x ']) {
      const at = (await create(good)).headers.get('location') ?? ''
      expect((await tus.send('GET', at)).body.name).toBe('a')
    }
  })
})

describe.each([...storages])('what came and was not acknowledged, $name,', ({ options }) => {
  const large = bytesOf(9 << 20)
  const staged = () => t.ports.blobs.discardStaged(Number.MAX_SAFE_INTEGER)

  test('is not kept: first requests with a wrong checksum, or cut, leave nothing staged', async () => {
    await start(await options())
    const at = await tus.begin(large.length)
    for (let i = 0; i < 3; i++) expect((await tus.patch(at, 0, large, wrong)).status).toBe(460)
    for (let i = 0; i < 3; i++) {
      const body = held()
      const answer = tus.patch(at, 0, body.readable, wrong)
      await body.send('abc')
      await body.breakOff()
      expect((await answer).status).toBe(400)
    }
    expect([await tus.offset(at), await staged()]).toEqual([0, 0])
    expect((await tus.file(await tus.patch(at, 0, large))).bytes.equals(large)).toBeTrue()
  }, 30_000)

  test('is not kept beside what was, of which nothing is lost', async () => {
    await start(await options())
    const at = await tus.begin(large.length)
    expect((await tus.patch(at, 0, large.subarray(0, 5))).status).toBe(204)
    for (let i = 0; i < 6; i++) expect((await tus.patch(at, 5, large.subarray(5), wrong)).status).toBe(460)
    expect(await tus.offset(at)).toBe(5)
    expect((await tus.file(await tus.patch(at, 5, large.subarray(5)))).bytes.equals(large)).toBeTrue()
    expect(await staged()).toBe(0)
  }, 30_000)
})

describe('uploads under way', () => {
  test('are bounded for a caller, both ways in; another is let in, and so is one more once one has ended', async () => {
    await start()
    const open = []
    for (let i = 0; i < uploadsAtOnce.caller; i++) {
      const body = held()
      const answer = i % 2 ? tus.patch(await tus.begin(9), 0, body.readable) : post(body.readable)
      await body.send('abc')
      open.push({ ...body, answer })
    }
    const at = await tus.begin(3)
    for (const answer of [await tus.patch(at, 0, 'abc'), await post('abc'), await tus.create(3, { raw: 'abc' })])
      expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([429, 'rate_limited', '5'])
    expect((await t.call('POST', '/api/media', { headers: (await t.as('member')).headers, raw: 'abc' })).status).toBe(
      201,
    )
    await open[0]?.breakOff()
    await open[1]?.end()
    expect([(await open[0]?.answer)?.status, (await open[1]?.answer)?.status]).toEqual([400, 204])
    expect([(await post('abc')).status, (await tus.patch(at, 0, 'abc')).status]).toEqual([201, 204])
    for (const { end } of open.slice(2)) await end()
    const ends = await Promise.all(open.slice(2).map(({ answer }) => answer))
    expect(ends.filter(({ status }) => status >= 300)).toEqual([])
  })
  const post = (raw: BodyInit) => t.call('POST', '/api/media', { headers: admin.headers, raw })

  test('are bounded for a workspace, whoever sends; a place is free again however its holder ended', async () => {
    const bounds = { uploads: { caller: 2, workspace: 3 } }
    const plans = { address: {}, plans: { default: { workspace: {}, caller: {}, quotas: {}, ...bounds } } }
    const { incoming: run } = createTraffic({ plans, clock: newTestClock() })
    const actorOf = (id: string, workspace: number) => ({ id, lineage: null, workspace: { id: workspace } }) as Actor
    const open = ['a', 'a', 'b'].map((id) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      return { end: resolve, fail: reject, ended: run(actorOf(id, 1), () => promise) }
    })
    const codeOf = (id: string, workspace: number) =>
      run(actorOf(id, workspace), async () => 'done').catch((error: Failure) => error.code)
    expect([await codeOf('c', 1), await codeOf('a', 2), await codeOf('c', 2)]).toEqual([
      'rate_limited',
      'rate_limited',
      'done',
    ])
    open[0]?.fail(new Failure('malformed'))
    await expect(open[0]!.ended).rejects.toThrow()
    expect([await codeOf('c', 1), await codeOf('a', 1)]).toEqual(['done', 'done'])
    for (const { end } of open) end()
  })
})

describe('the end of an upload by time', () => {
  const expire = () => t.app.services.uploads.expire(new AbortController().signal)
  /** Some uploads with three bytes each, a second before their end. */
  const late = async (count: number) => {
    await start()
    const all = []
    for (let i = 0; i < count; i++) all.push(await tus.begin(6))
    for (const at of all) await tus.patch(at, 0, 'abc')
    t.clock.advance(day - 1000)
    tus = tusOf(t, await t.signIn(admin.email))
    return all
  }

  test('waits for whoever began in time, and takes the others', async () => {
    const [at = '', left = ''] = await late(2)
    const { readable, send, end } = held()
    const answer = tus.patch(at, 3, readable, {
      'upload-checksum': `sha1 ${new Bun.CryptoHasher('sha1').update('def').digest('base64')}`,
    })
    await send('d')
    t.clock.advance(1000)
    expect([await expire(), (await tus.head(left)).status]).toEqual([1, 404])
    await send('ef')
    await end()
    expect((await tus.file(await answer)).bytes.toString()).toBe('abcdef')
    t.clock.advance(day)
    expect(await expire()).toBe(1)
  })

  test('takes no byte of an upload that is gone on with meanwhile, and goes on to the others', async () => {
    const [first = '', second = ''] = await late(2)
    t.clock.advance(1000)
    const { batch } = t.db
    let taken = ''
    t.db.batch = async (statements) => {
      const gone = statements.find(({ sql }) => sql.startsWith('delete from "uploads"'))
      if (gone && taken === '') {
        taken = [first, second].find((at) => gone.args.includes(at.split('/').pop() ?? '')) ?? ''
        const row = { workspaceId: gone.args[0], id: gone.args[1] }
        await batch([{ sql: longer, args: [t.clock.now() + day, row.workspaceId, row.id] } as (typeof statements)[0]])
      }
      return batch(statements)
    }
    expect(await expire()).toBe(1)
    t.db.batch = batch
    expect((await tus.file(await tus.patch(taken, 3, 'def'))).bytes.toString()).toBe('abcdef')
  })
  const longer = 'update "uploads" set "expires_at" = ? where "workspace_id" = ? and "id" = ?'

  test('takes no byte before the upload is gone, so that none is left without its bytes', async () => {
    const [at = ''] = await late(1)
    t.clock.advance(1000)
    const { batch } = t.db
    t.db.batch = async () => {
      throw new Failure('unavailable')
    }
    await expect(expire()).rejects.toThrow()
    t.db.batch = batch
    const staged = () => readdirSync(join(t.mediaFolder, 'staged')).length
    expect(staged()).toBe(1)
    expect([await expire(), staged(), (await tus.head(at)).status]).toEqual([1, 0, 404])
  })
})
