// Uploads by tus 1.0: each rule of the protocol, and what is more than it asks.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { mediaHeads } from './data/media-heads'
import { type TestApp, testApp } from './support'
import { bytesOf, chunkType, metadataOf, speaks, tusOf } from './tus'

const maxBytes = 1_000_000
let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
let tus: ReturnType<typeof tusOf>
beforeAll(async () => {
  t = await testApp({ env: { LATCHKEY_MEDIA_MAX_BYTES: String(maxBytes) } })
  admin = await t.as('admin')
  tus = tusOf(t, admin)
})
afterAll(() => t.stop())

const staged = () => readdirSync(join(t.mediaFolder, 'staged')).length
const used = async () => (await admin.get('/api/usage/quotas')).body.quotas[0].used as number
const streamOf = (text: string) => new Response(text).body as ReadableStream
const digestOf = (algorithm: string, text: string) =>
  `${algorithm} ${createHash(algorithm).update(text).digest('base64')}`

test('says what it can do to whoever asks', async () => {
  for (const target of ['/api/uploads', '/api/uploads/upl_0000000000000000000000']) {
    const { status, headers } = await t.call('OPTIONS', target)
    expect(status).toBe(204)
    expect(headers.get('tus-version')).toBe('1.0.0')
    expect(headers.get('tus-max-size')).toBe(String(maxBytes))
    expect(headers.get('tus-extension')).toBe('creation,creation-with-upload,termination,expiration,checksum')
    expect(headers.get('tus-checksum-algorithm')).toBe('sha1,sha256')
  }
})

test('a file in three parts is the file in one: bytes, digest, type by its bytes beside the one declared', async () => {
  const bytes = Buffer.concat([Buffer.from(mediaHeads[0]![2], 'hex'), bytesOf(20_000)])
  const metadata = `${metadataOf({ filename: 'a é.png', filetype: 'Text/HTML; charset=utf-8', other: 'x' })},flag`
  const made = await tus.create(bytes.length, { headers: { 'upload-metadata': metadata } })
  expect(made.status).toBe(201)
  const at = made.headers.get('location') ?? ''
  expect(at).toMatch(/^\/api\/uploads\/upl_\w{22}$/)
  expect(made.headers.get('upload-expires')).toBe(new Date(t.clock.now() + 86_400_000).toUTCString())
  for (const [from, to] of [
    [0, 5000],
    [5000, 5001],
  ] as const) {
    const answer = await tus.patch(at, from, bytes.subarray(from, to))
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([204, String(to)])
    expect([answer.headers.get('content-location'), answer.headers.get('tus-resumable')]).toEqual([null, '1.0.0'])
  }
  const between = await tus.head(at)
  expect(Object.fromEntries(between.headers)).toMatchObject({
    ...{ 'upload-offset': '5001', 'upload-length': String(bytes.length), 'upload-metadata': metadata },
    ...{ 'cache-control': 'no-store', 'tus-resumable': '1.0.0' },
  })
  const last = await tus.patch(at, 5001, bytes.subarray(5001))
  expect([last.status, last.headers.get('upload-offset')]).toEqual([204, String(bytes.length)])
  const file = await tus.file(last)
  expect(file).toMatchObject({ name: 'a é.png', size: bytes.length, type: 'image/png', declared_type: 'text/html' })
  expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  expect(file.created_by).toBe(admin.userId)
  expect(file.bytes.equals(bytes)).toBeTrue()
  const after = await tus.head(at)
  expect(after.headers.get('upload-offset')).toBe(String(bytes.length))
  expect(after.headers.get('content-location')).toBe(`/api/media/${file.id}`)
  const { body } = await tus.send('GET', at)
  expect(body).toMatchObject({ name: 'a é.png', length: bytes.length, offset: bytes.length, media_id: file.id })
})

test('leaves an audit row for what was begun and for the file, and none for where it stood', async () => {
  t.clock.advance(1)
  const now = new Date(t.clock.now()).toISOString()
  const at = await tus.begin(2)
  await tus.patch(at, 0, 'a')
  const file = await tus.file(await tus.patch(at, 1, 'b'))
  const { data } = (await admin.get('/api/audit?limit=100')).body
  const rows = data.filter((e: { at: string; action: string }) => e.at === now && e.action !== 'audit.read')
  expect(rows.map((e: { action: string; targets: string[] }) => [e.action, e.targets]).sort()).toEqual([
    ['media.ready', [file.id]],
    ['upload.created', [at.split('/').pop()]],
  ])
})

describe('an offset', () => {
  test('that is not where the upload stands is refused and told, and changes nothing', async () => {
    const at = await tus.begin(6)
    await tus.patch(at, 0, 'abc')
    for (const wrong of [0, 2, 4, 6]) {
      const { status, body, headers } = await tus.patch(at, wrong, 'zz')
      expect([status, body.code, headers.get('upload-offset')]).toEqual([409, 'conflict', '3'])
    }
    expect((await tus.file(await tus.patch(at, 3, 'def'))).bytes.toString()).toBe('abcdef')
    expect((await tus.patch(at, 3, 'def')).status).toBe(409)
    expect((await tus.patch(at, 6, '')).headers.get('content-location')).toStartWith('/api/media/')
  })

  test.each(['', '-1', '1.5', 'x', '1'.repeat(16)])('%p is none', async (offset) => {
    const at = await tus.begin(3)
    const answer = await tus.send('PATCH', at, { headers: { ...chunkType, 'upload-offset': offset }, raw: 'a' })
    expect([answer.status, await tus.offset(at)]).toEqual([422, 0])
  })
})

describe('a length', () => {
  test('over the largest is refused at once; the largest is taken', async () => {
    const before = await used()
    expect((await tus.create(maxBytes + 1)).body.code).toBe('too_large')
    expect(await used()).toBe(before)
    const at = await tus.begin(maxBytes)
    expect((await tus.patch(at, 0, bytesOf(maxBytes))).headers.get('content-location')).toStartWith('/api/media/')
  })

  test('is kept to, whether more is announced or counted', async () => {
    const at = await tus.begin(5)
    const announced = await tus.patch(at, 0, 'abcdef', { 'content-length': '6' })
    const counted = await tus.patch(at, 0, streamOf('abcdef'))
    expect([announced.status, counted.status, await tus.offset(at)]).toEqual([413, 413, 0])
    expect((await tus.file(await tus.patch(at, 0, streamOf('abcde')))).bytes.toString()).toBe('abcde')
  })

  test.each([undefined, '', '-1', 'x', '1e3'])('%p is none', async (length) => {
    const headers = length === undefined ? {} : { 'upload-length': length }
    expect((await tus.send('POST', '/api/uploads', { headers })).body.code).toBe('invalid')
  })

  test('of nothing is a file at once', async () => {
    const made = await tus.create(0)
    expect([made.status, made.headers.get('upload-offset')]).toEqual([201, '0'])
    expect(await tus.file(made)).toMatchObject({ size: 0, name: 'untitled' })
  })
})

describe('bytes that come along with the creation', () => {
  test('are its first, or all of it', async () => {
    const whole = await tus.create(3, { raw: 'abc' })
    expect([whole.status, whole.headers.get('upload-offset')]).toEqual([201, '3'])
    expect((await tus.file(whole)).bytes.toString()).toBe('abc')
    const first = await tus.create(4, { raw: 'ab' })
    expect([first.status, first.headers.get('upload-offset')]).toEqual([201, '2'])
    const last = await tus.patch(first.headers.get('location') ?? '', 2, 'cd')
    expect((await tus.file(last)).bytes.toString()).toBe('abcd')
  })

  test('fail by themselves: the answer says where to go on', async () => {
    const headers = { 'upload-checksum': digestOf('sha1', 'other') }
    const made = await tus.create(3, { headers, raw: 'abc' })
    expect([made.status, made.body.code]).toEqual([460, 'checksum_mismatch'])
    const at = made.headers.get('location') ?? ''
    expect(await tus.offset(at)).toBe(0)
    expect((await tus.file(await tus.patch(at, 0, 'abc'))).bytes.toString()).toBe('abc')
  })
})

test('another version, or none, is not spoken: nothing is done', async () => {
  const at = await tus.begin(3)
  for (const version of ['0.2.2', '1.0.1', '']) {
    const as = { headers: { ...admin.headers, 'tus-resumable': version } }
    const patch = { headers: { ...as.headers, ...chunkType, 'upload-offset': '0' }, raw: 'abc' }
    const create = { headers: { ...as.headers, 'upload-length': '3' } }
    const answers = [
      await t.call('POST', '/api/uploads', create),
      await t.call('PATCH', at, patch),
      await t.call('HEAD', at, as),
      await t.call('DELETE', at, as),
    ]
    expect(answers.map(({ status, headers }) => [status, headers.get('tus-version')])).toEqual(
      Array(4).fill([412, '1.0.0']),
    )
  }
  expect(await tus.offset(at)).toBe(0)
})

test('bytes of another type are not read', async () => {
  const at = await tus.begin(3)
  expect((await tus.patch(at, 0, 'abc', { 'content-type': 'text/plain' })).status).toBe(415)
  expect(await tus.offset(at)).toBe(0)
})

describe('a checksum', () => {
  test.each(['sha1', 'sha256'])('that is right lets the bytes in: %s', async (algorithm) => {
    const at = await tus.begin(6)
    await tus.patch(at, 0, 'abc', { 'upload-checksum': digestOf(algorithm, 'abc') })
    const last = await tus.patch(at, 3, 'def', { 'upload-checksum': digestOf(algorithm, 'def') })
    expect((await tus.file(last)).bytes.toString()).toBe('abcdef')
  })

  test('that is wrong keeps the bytes of its request out, and no others', async () => {
    const at = await tus.begin(6)
    await tus.patch(at, 0, 'abc')
    for (const algorithm of ['sha1', 'sha256']) {
      const wrong = await tus.patch(at, 3, 'dez', { 'upload-checksum': digestOf(algorithm, 'def') })
      expect([wrong.status, wrong.body.code, await tus.offset(at)]).toEqual([460, 'checksum_mismatch', 3])
    }
    const file = await tus.file(await tus.patch(at, 3, 'def', { 'upload-checksum': digestOf('sha1', 'def') }))
    expect(file.bytes.toString()).toBe('abcdef')
    expect(file.sha256).toBe(createHash('sha256').update('abcdef').digest('hex'))
  })

  test('of an algorithm that is not known is refused', async () => {
    const at = await tus.begin(3)
    const { status } = await tus.patch(at, 0, 'abc', { 'upload-checksum': 'md5 kAFQmDzST7DWlj99KOF/cg==' })
    expect([status, await tus.offset(at)]).toEqual([400, 0])
  })
})

describe('an upload that is ended', () => {
  test('is gone, with its bytes and what it took of the quota', async () => {
    const before = [staged(), await used()]
    const at = await tus.begin(50_000)
    await tus.patch(at, 0, 'abc')
    expect([staged(), await used()]).toEqual([before[0]! + 1, before[1]! + 50_000])
    expect((await tus.send('DELETE', at)).status).toBe(204)
    expect([staged(), await used()]).toEqual(before)
    const after = [await tus.head(at), await tus.patch(at, 3, 'd'), await tus.send('DELETE', at)]
    expect(after.map(({ status }) => status)).toEqual([404, 404, 404])
    const { body } = await admin.get('/api/audit?action=upload.deleted&limit=1')
    expect(body.data[0].targets).toEqual([at.split('/').pop()])
  })

  test('leaves the file that it became, and its quota', async () => {
    const before = await used()
    const whole = await tus.create(3, { raw: 'abc' })
    const at = whole.headers.get('location') ?? ''
    expect((await tus.send('DELETE', at)).status).toBe(204)
    expect((await tus.head(at)).status).toBe(404)
    expect((await tus.file(whole)).bytes.toString()).toBe('abc')
    expect(await used()).toBe(before + 3)
  })
})

test('a client that cannot send PATCH or DELETE names them in a header', async () => {
  const at = await tus.begin(6)
  const named = { ...chunkType, 'upload-offset': '0', 'x-http-method-override': 'PATCH' }
  expect((await tus.send('POST', at, { headers: named, raw: 'abc' })).headers.get('upload-offset')).toBe('3')
  expect((await tus.send('POST', at, { headers: { ...named, 'x-http-method-override': 'PUT' } })).status).toBe(405)
  expect((await tus.send('POST', at)).status).toBe(405)
  expect((await tus.send('POST', at, { headers: { 'x-http-method-override': 'DELETE' } })).status).toBe(204)
  expect((await tus.head(at)).status).toBe(404)
})

test('the same creation, sent once more with its key, answers the same upload as it stands', async () => {
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const before = await used()
  const [first, again] = [await tus.create(5, { headers }), await tus.create(5, { headers })]
  expect([first.status, again.status]).toEqual([201, 201])
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expect(await used()).toBe(before + 5)
  await tus.patch(first.headers.get('location') ?? '', 0, 'ab')
  expect((await tus.create(5, { headers })).headers.get('upload-offset')).toBe('2')
  expect((await tus.create(6, { headers })).body.code).toBe('conflict')
})

test('a page of ours reads every header it needs, and may send them', async () => {
  const page = { origin: 'http://localhost:3000' }
  const { headers } = await tus.create(3, { headers: page })
  const exposed = headers.get('access-control-expose-headers')?.split(', ') ?? []
  for (const name of [
    'location',
    'upload-offset',
    'upload-length',
    'upload-expires',
    'content-location',
    'tus-resumable',
  ])
    expect(exposed).toContain(name)
  const asks = { ...page, 'access-control-request-method': 'PATCH' }
  const allowed = (await t.call('OPTIONS', '/api/uploads', { headers: asks })).headers
  const may = allowed.get('access-control-allow-headers')?.split(', ') ?? []
  for (const name of [...Object.keys(speaks), 'upload-offset', 'upload-length', 'upload-metadata', 'upload-checksum'])
    expect(may).toContain(name)
  expect(allowed.get('access-control-allow-methods')).toContain('PATCH')
})
