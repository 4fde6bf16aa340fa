// RFC 9110 §13 and §14 as they stand on the wire: conditions, one range, HEAD; on a small file and on a streamed one, in each storage.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { httpDate } from '../src/lib/http-date'
import { storages } from './storages'
import { testApp } from './support'
import { ask, serveOnWire } from './wire'

const day = 86_400_000
const streamedBytes = 16 * 1024 * 1024 + 1000

type File = { target: string; bytes: Buffer; etag: string; at: number }
let app: Awaited<ReturnType<typeof testApp>>
let server: ReturnType<typeof serveOnWire>
let who: Record<string, string>
let small: File
let large: File

const store = async (bytes: Buffer<ArrayBuffer>): Promise<File> => {
  const response = await app.fetch('POST', '/api/media', { headers: who, raw: bytes })
  const made = (await response.json()) as { url: string; sha256: string; created_at: string }
  return { target: made.url, bytes, etag: `"${made.sha256}"`, at: Date.parse(made.created_at) }
}

const other = '"0000"'
const date =
  (offset = 0) =>
  () =>
    httpDate(small.at + offset)
const etag = () => small.etag
const weak = () => `W/${small.etag}`
type Fields = Record<string, string | (() => string)>

/** What it shows, fields, status, the bytes that come, Content-Range. */
const cases: [string, Fields, number, string?, string?][] = [
  ['no condition, no range', {}, 200, '0123456789'],
  ['first and last byte', { range: 'bytes=2-5' }, 206, '2345', 'bytes 2-5/10'],
  ['one byte', { range: 'bytes=0-0' }, 206, '0', 'bytes 0-0/10'],
  ['no last byte', { range: 'bytes=7-' }, 206, '789', 'bytes 7-9/10'],
  ['the whole by range', { range: 'bytes=0-' }, 206, '0123456789', 'bytes 0-9/10'],
  ['last byte beyond the end is clamped', { range: 'bytes=8-4000000000000' }, 206, '89', 'bytes 8-9/10'],
  ['digits beyond any number', { range: `bytes=9-${'9'.repeat(400)}` }, 206, '9', 'bytes 9-9/10'],
  ['suffix', { range: 'bytes=-3' }, 206, '789', 'bytes 7-9/10'],
  ['suffix longer than the file', { range: 'bytes=-99' }, 206, '0123456789', 'bytes 0-9/10'],
  ['suffix of nothing', { range: 'bytes=-0' }, 416, '', 'bytes */10'],
  ['first byte beyond the end', { range: 'bytes=10-' }, 416, '', 'bytes */10'],
  ['first byte far beyond the end', { range: `bytes=${'9'.repeat(400)}-` }, 416, '', 'bytes */10'],
  ['unit in capitals', { range: 'BYTES=1-2' }, 206, '12', 'bytes 1-2/10'],
  ['empty list elements are passed over', { range: 'bytes=, 1-2 ,' }, 206, '12', 'bytes 1-2/10'],
  ['several ranges: the whole', { range: 'bytes=0-1,4-5' }, 200, '0123456789'],
  ['unknown unit: the whole', { range: 'lines=1-2' }, 200, '0123456789'],
  ['last before first: the whole', { range: 'bytes=5-2' }, 200, '0123456789'],
  ['no number at all: the whole', { range: 'bytes=-' }, 200, '0123456789'],
  ['negative numbers: the whole', { range: 'bytes=-1--1' }, 200, '0123456789'],
  ['hexadecimal: the whole', { range: 'bytes=0x1-2' }, 200, '0123456789'],
  ['not a range: the whole', { range: 'bytes 1-2' }, 200, '0123456789'],
  ['If-Match holds', { 'if-match': etag }, 200, '0123456789'],
  ['If-Match with any', { 'if-match': '*' }, 200, '0123456789'],
  ['If-Match in a list', { 'if-match': () => `${other}, ${small.etag}` }, 200, '0123456789'],
  ['If-Match compares strongly', { 'if-match': weak }, 412, ''],
  ['If-Match with another', { 'if-match': other }, 412, ''],
  ['If-Match of nonsense', { 'if-match': 'abc' }, 412, ''],
  ['If-Unmodified-Since holds at the very second', { 'if-unmodified-since': date() }, 200, '0123456789'],
  ['If-Unmodified-Since fails', { 'if-unmodified-since': date(-1000) }, 412, ''],
  ['If-Unmodified-Since that is no date', { 'if-unmodified-since': 'yesterday' }, 200, '0123456789'],
  [
    'If-Match outranks If-Unmodified-Since',
    { 'if-match': etag, 'if-unmodified-since': date(-1000) },
    200,
    '0123456789',
  ],
  ['If-None-Match matches', { 'if-none-match': etag }, 304, ''],
  ['If-None-Match compares weakly', { 'if-none-match': weak }, 304, ''],
  ['If-None-Match with any', { 'if-none-match': '*' }, 304, ''],
  ['If-None-Match in a list', { 'if-none-match': () => `${other}, ${weak()}` }, 304, ''],
  ['If-None-Match with another', { 'if-none-match': other }, 200, '0123456789'],
  ['If-Modified-Since: not since', { 'if-modified-since': date() }, 304, ''],
  ['If-Modified-Since: since', { 'if-modified-since': date(-1000) }, 200, '0123456789'],
  ['If-Modified-Since that is no date', { 'if-modified-since': '2031-01-01' }, 200, '0123456789'],
  ['If-Modified-Since as RFC 850 wrote it', { 'if-modified-since': 'Friday, 03-Jan-31 00:00:00 GMT' }, 304, ''],
  ['If-Modified-Since as asctime writes it', { 'if-modified-since': 'Fri Jan  3 00:00:00 2031' }, 304, ''],
  [
    'If-None-Match outranks If-Modified-Since',
    { 'if-none-match': other, 'if-modified-since': date() },
    200,
    '0123456789',
  ],
  ['If-Match that fails outranks If-None-Match', { 'if-match': other, 'if-none-match': etag }, 412, ''],
  ['If-Match that holds leaves If-None-Match to decide', { 'if-match': etag, 'if-none-match': etag }, 304, ''],
  ['a condition outranks a range', { range: 'bytes=10-', 'if-none-match': etag }, 304, ''],
  ['If-Range with the tag', { range: 'bytes=2-3', 'if-range': etag }, 206, '23', 'bytes 2-3/10'],
  ['If-Range with another tag', { range: 'bytes=2-3', 'if-range': other }, 200, '0123456789'],
  ['If-Range compares strongly', { range: 'bytes=2-3', 'if-range': weak }, 200, '0123456789'],
  ['If-Range with the date', { range: 'bytes=2-3', 'if-range': date() }, 206, '23', 'bytes 2-3/10'],
  ['If-Range with a later date', { range: 'bytes=2-3', 'if-range': date(1000) }, 200, '0123456789'],
  ['If-Range that is neither', { range: 'bytes=2-3', 'if-range': 'abc' }, 200, '0123456789'],
  ['If-Range that fails saves from 416', { range: 'bytes=10-', 'if-range': other }, 200, '0123456789'],
  ['If-Range without a range', { 'if-range': other }, 200, '0123456789'],
]

const fieldsOf = (fields: Fields) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : value()]))

describe.each([...storages])('media $name', ({ options }) => {
  beforeAll(async () => {
    app = await testApp(await options())
    server = serveOnWire(app.app.fetch)
    who = (await app.as('admin')).headers
    // The date of a file is cut to the second on the wire, and must compare so.
    app.clock.advance(day + 789)
    small = await store(Buffer.from('0123456789'))
    large = await store(Buffer.from(Array.from({ length: streamedBytes / 8 }, (_, i) => `${i}`.padStart(8)).join('')))
    app.clock.advance(day)
  })
  afterAll(async () => {
    server.stop()
    await app.stop()
  })

  describe('GET /media/:id', () => {
    const rows = cases.map(([what, fields, status, bytes = '', range = null]) => ({
      what,
      fields,
      status,
      bytes,
      range,
    }))

    test.each(rows)('$what', async ({ fields, status, bytes, range }) => {
      const answer = await ask(server.port, 'GET', small.target, { ...who, ...fieldsOf(fields) })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-range')).toBe(range)
      if (status < 400) expect(answer.headers.get('etag')).toBe(small.etag)
      if (status < 300) expect(answer.headers.get('content-length')).toBe(String(bytes.length))
      if (status < 400) expect(answer.body.toString()).toBe(bytes)
    })

    test.each([
      ['bytes=100-199', 100, 200],
      ['bytes=0-', 0, streamedBytes],
      ['bytes=5-', 5, streamedBytes],
      ['bytes=-70000', streamedBytes - 70_000, streamedBytes],
      ['', 0, streamedBytes],
    ])('gives exactly the bytes of a large file: %s', async (range, start, end) => {
      const answer = await ask(server.port, 'GET', large.target, { ...who, ...(range && { range }) })
      expect(answer).toMatchObject({ status: range ? 206 : 200, whole: true })
      expect(answer.body.equals(large.bytes.subarray(start, end))).toBeTrue()
    })

    test('gives an empty file as the whole, since no range can say nothing', async () => {
      const empty = await store(Buffer.alloc(0))
      const asked = async (range: string) => {
        const { status, headers, whole } = await ask(server.port, 'GET', empty.target, {
          ...who,
          ...(range && { range }),
        })
        return [status, headers.get('content-range'), whole]
      }
      for (const range of ['', 'bytes=-5']) expect(await asked(range)).toEqual([200, null, true])
      expect(await asked('bytes=0-')).toEqual([416, 'bytes */0', true])
    })

    test('gives a player a window with its length, and nobody else', async () => {
      const headers = { ...who, range: 'bytes=10-', 'sec-fetch-dest': 'video' }
      const { status, headers: got, body } = await ask(server.port, 'GET', large.target, headers)
      expect([status, body.length, got.get('content-length')]).toEqual([206, 1_048_576, '1048576'])
      expect(got.get('content-range')).toBe(`bytes 10-1048585/${streamedBytes}`)
    })
  })

  describe('HEAD /media/:id', () => {
    test('says what GET would, without a byte, and knows no ranges', async () => {
      for (const file of [small, large]) {
        const answer = await ask(server.port, 'HEAD', file.target, { ...who, range: 'bytes=0-0' })
        expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) })
        expect(answer.headers.get('content-length')).toBe(String(file.bytes.length))
        expect(answer.headers.get('etag')).toBe(file.etag)
        expect(answer.headers.get('content-range')).toBeNull()
      }
    })

    test('answers conditions', async () => {
      const matched = await ask(server.port, 'HEAD', small.target, { ...who, 'if-none-match': small.etag })
      const failed = await ask(server.port, 'HEAD', small.target, { ...who, 'if-match': other })
      expect([matched.status, failed.status]).toEqual([304, 412])
    })
  })
})
