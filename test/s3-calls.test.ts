// What a bucket may answer on a bad day, said by a fetch of ours before a real server or in its place.
import { describe, expect, test } from 'bun:test'
import { createS3Blobs } from '../src/adapters/blobs-s3'
import { pour } from '../src/adapters/pour'
import { createS3 } from '../src/adapters/s3'
import type { S3Options } from '../src/adapters/s3-calls'
import { Failure } from '../src/errors'
import { randomBytes } from '../src/lib/crypto'
import { randomBase62 } from '../src/lib/id'
import { parseS3Place } from '../src/lib/s3-place'
import { newRight, put, take } from './contract/blobs'
import { failureOf } from './contract/database'
import { hasS3, newS3Options } from './s3'
import { newTestLog } from './support'

type Asked = { url: URL; init: RequestInit; times: number }
type Answer = (asked: Asked, pass: () => Promise<Response>) => Response | Promise<Response> | undefined

const xml = (status: number, code: string) =>
  new Response(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>key hush</Message></Error>`, { status })
const lose = () => Promise.reject(Object.assign(new TypeError('no way to http://hush'), { code: 'ECONNRESET' }))

const keys = { access: 'AKIDEXAMPLE', secret: 'hush-hush-hush' }
const nowhere = {
  place: parseS3Place('s3://media/some?endpoint=https://s3.example.com&region=eu-central-1'),
  ...{ keys, clock: { now: Date.now, monotonic: () => performance.now(), sleep: async () => {} } },
}
/** A bucket that answers as told, and where nothing is told as `real` does. */
const bucket = (answer: Answer, real?: S3Options) => {
  const asked: Asked[] = []
  const fetch: S3Options['fetch'] = async (input, init = {}) => {
    const url = new URL(String(input))
    const one = { url, init, times: asked.filter((a) => a.url.href === url.href).length }
    asked.push(one)
    const pass = () => real!.fetch(input, init)
    return (await answer(one, pass)) ?? pass()
  }
  const { log, events } = newTestLog()
  const options = { ...(real ?? nowhere), fetch, log }
  const s3 = createS3(options)
  return { s3, asked, events, blobs: createS3Blobs({ s3, pour, partBytes: () => 5 * 1024 * 1024 }) }
}
const failing = async (work: Promise<unknown>): Promise<Failure> => {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  )
  if (error instanceof Failure) return error
  throw new Error('it should have failed on purpose')
}
const reasonOf = (failure: Failure) => (failure.cause as Error).message

describe('a refusal', () => {
  test.each([
    [403, 'SignatureDoesNotMatch', 'unavailable', 1],
    [403, 'RequestTimeTooSkewed', 'unavailable', 1],
    [404, 'NoSuchBucket', 'unavailable', 1],
    [301, 'PermanentRedirect', 'unavailable', 1],
    [404, 'NoSuchKey', 'not_found', 1],
    [507, '', 'disk_full', 1],
    [507, 'XMinioStorageFull', 'disk_full', 1],
    [403, 'QuotaExceeded', 'disk_full', 1],
    [409, 'XMinioAdminBucketQuotaExceeded', 'disk_full', 1],
    [503, 'SlowDown', 'unavailable', 5],
    [429, '', 'unavailable', 5],
    [500, 'InternalError', 'unavailable', 5],
    [400, 'RequestTimeout', 'unavailable', 5],
    [502, '', 'unavailable', 5],
    [501, 'NotImplemented', 'unavailable', 1],
  ] as const)('%d %s is %s, after %d attempts', async (status, code, expected, attempts) => {
    const { s3, asked } = bucket(() => xml(status, code))
    const failure = await failing(s3.put('a', Buffer.from('abc')))
    expect([failure.code, asked.length]).toEqual([expected, attempts])
    expect(reasonOf(failure)).toBe(`the bucket answered ${status} ${code}`.trim())
  })

  test('names no address, key or word of the request, in its message or in the log', async () => {
    for (const answer of [() => xml(403, 'AccessDenied'), () => xml(500, '<b>hush</b>'), lose]) {
      const { s3, events } = bucket(answer)
      const failure = await failing(s3.get('a-key'))
      expect(failure.message).toBe('unavailable')
      expect(events).toEqual([
        { level: 'warn', fields: { method: 'GET', reason: reasonOf(failure) }, message: 'storage failed' },
      ])
      for (const word of ['example.com', 'AKID', 'hush', 'a-key', 'media'])
        expect(JSON.stringify([failure.message, failure.stack, reasonOf(failure), events])).not.toContain(word)
    }
  })

  test('of a signature is asked for once by a probe, and a lost connection too', async () => {
    for (const answer of [() => xml(503, 'SlowDown'), lose]) {
      const { blobs, asked } = bucket(answer)
      expect(await failureOf(blobs.check())).toBe('unavailable')
      expect(asked.length).toBe(1)
    }
  })

  test('is an answer that is no answer of S3, whatever its status', async () => {
    for (const page of ['<html><body>Please sign in</body></html>', '', '{"ok":true}'])
      expect(await failureOf(bucket(() => new Response(page)).blobs.check())).toBe('unavailable')
  })
})

test('a request is signed, follows no redirect, and asks for the bytes as they are', async () => {
  const { s3, asked } = bucket(() => new Response('', { status: 200 }))
  await s3.put('a/b', Buffer.from('abc'))
  const [{ url, init } = { url: '', init: {} }] = asked
  expect(String(url)).toBe('https://s3.example.com/media/some/a/b')
  expect(init).toMatchObject({ method: 'PUT', redirect: 'manual' })
  const headers = new Headers(init.headers)
  expect(headers.get('authorization')).toStartWith('AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/')
  expect(headers.get('accept-encoding')).toBe('identity')
  expect(JSON.stringify([...headers])).not.toContain(keys.secret)
})

describe('an object that is read', () => {
  const size = 3 * 1024 * 1024
  const bytes = Buffer.from(randomBytes(size))
  const key = randomBase62(26)
  const range = { start: 0, end: size }
  const headerOf = ({ init }: Asked, name: string) => new Headers(init.headers).get(name)
  const rangeOf = (one: Asked) => {
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(headerOf(one, 'range') ?? '') ?? []
    return [Number(start), Number(end) + 1] as const
  }
  const part = (from: number, to: number, sent = bytes.subarray(from, to), of: number = size) =>
    new Response(sent, {
      status: 206,
      headers: { 'content-range': `bytes ${from}-${to - 1}/${of}`, etag: '"one"', 'content-length': `${sent.length}` },
    })
  const asAsked = (one: Asked) => part(...rangeOf(one))

  test('comes piece by piece of one and the same object, and is whole', async () => {
    const { blobs, asked } = bucket((one) => asAsked(one))
    expect((await take(blobs, key, size, range)).equals(bytes)).toBeTrue()
    for (const [start, end] of asked.map(rangeOf)) expect(end - start).toBeLessThanOrEqual(512 * 1024)
    const [first, ...rest] = asked.map((one) => headerOf(one, 'if-match'))
    expect([first, new Set(rest)]).toEqual([null, new Set(['"one"'])])
  })

  test('is asked for again where a piece comes short, or another one comes', async () => {
    const bad: Answer[] = [
      (one) => part(...rangeOf(one), bytes.subarray(rangeOf(one)[0], rangeOf(one)[1] - 1)),
      (one) => part(rangeOf(one)[0] + 1, rangeOf(one)[1]),
      () => new Response(bytes.subarray(0, 9), { status: 206 }),
    ]
    for (const answer of bad) {
      let n = 0
      const { blobs, asked } = bucket((one, pass) => (n++ % 2 ? asAsked(one) : answer(one, pass)))
      expect((await take(blobs, key, size, range)).equals(bytes)).toBeTrue()
      expect(asked.length % 2).toBe(0)
    }
  })

  test('breaks off, and never ends as if that was all, where it stays short, was replaced or is gone', async () => {
    const later: Answer[] = [
      (one) => part(...rangeOf(one), bytes.subarray(0, 9)),
      () => xml(412, 'PreconditionFailed'),
      () => xml(404, 'NoSuchKey'),
      () => new Response(bytes.subarray(0, 9)),
      lose,
    ]
    for (const answer of later) {
      const right = newRight()
      const { blobs } = bucket((one, pass) => (rangeOf(one)[0] === 0 ? asAsked(one) : answer(one, pass)))
      const body = await blobs.open(key, size, range, right.hold)
      await expect(new Response(body).arrayBuffer()).rejects.toThrow()
      expect(right.holders()).toBe(0)
    }
  })

  test('is of the size that was said, and no store is believed that sends all of it where a piece was asked for', async () => {
    const larger = bucket((one) => part(...rangeOf(one), undefined, size + 1))
    expect(await failureOf(take(larger.blobs, key, size, range))).toBe('not_found')
    const shorter = bucket((one) => part(rangeOf(one)[0], size - 9, undefined, size - 9))
    expect(await failureOf(take(shorter.blobs, key, size, { start: size - 10, end: size }))).toBe('not_found')
    const all = bucket(() => new Response(bytes, { headers: { 'content-length': `${size}` } }))
    expect(await failureOf(take(all.blobs, key, size, { start: 0, end: 5 }))).toBe('unavailable')
    const small = bucket(() => new Response(bytes.subarray(0, 5)))
    expect((await take(small.blobs, key, 5, { start: 0, end: 5 })).equals(bytes.subarray(0, 5))).toBeTrue()
  })
})

describe.skipIf(!hasS3())('before a real bucket', () => {
  test('throttling and errors that pass are waited out, for each kind of call', async () => {
    const { blobs } = bucket(({ times }) => (times < 2 ? xml(503, 'SlowDown') : undefined), await newS3Options())
    const bytes = Buffer.from(randomBytes(6 * 1024 * 1024))
    const key = await put(blobs, bytes)
    expect((await take(blobs, key, bytes.length, { start: 0, end: bytes.length })).equals(bytes)).toBeTrue()
    expect(await Array.fromAsync(blobs.list(Date.now() + 60_000))).toEqual([key])
    await blobs.remove(key)
  })

  const isCompletion = ({ url, init }: Asked) => init.method === 'POST' && url.searchParams.has('uploadId')
  const upload = async (answer: Answer) => {
    const { blobs } = bucket((one, pass) => (isCompletion(one) ? answer(one, pass) : undefined), await newS3Options())
    const [key, bytes] = [randomBase62(26), Buffer.from(randomBytes(6 * 1024 * 1024))]
    const staged = await blobs.stage(key, null)
    await staged.write(bytes)
    const read = () => take(blobs, key, bytes.length, { start: 0, end: bytes.length })
    return { staged, bytes, read }
  }

  test('a completion that says 200 and then an error is asked for again', async () => {
    const { staged, bytes, read } = await upload(({ times }) => (times < 2 ? xml(200, 'InternalError') : undefined))
    await staged.publish()
    expect((await read()).equals(bytes)).toBeTrue()
  })

  test('a completion whose answer is lost has completed', async () => {
    const { staged, bytes, read } = await upload(({ times }, pass) => (times === 0 ? pass().then(lose) : undefined))
    await staged.publish()
    await staged.discard()
    expect((await read()).equals(bytes)).toBeTrue()
  })

  test('a completion that says 200 and never that it is done has failed, and nothing can be read', async () => {
    for (const answer of [() => xml(200, 'AccessDenied'), () => new Response('   ')]) {
      const { staged, read } = await upload(answer)
      expect(await failureOf(staged.publish())).toBe('unavailable')
      expect(await failureOf(read())).toBe('not_found')
      await staged.discard()
      await staged.discard()
    }
  })
})
