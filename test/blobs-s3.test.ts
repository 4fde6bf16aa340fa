// A bucket as a blob store: the contract on a real server, and what it does when the bucket is away, full or changed.
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { createS3Blobs } from '../src/adapters/blobs-s3'
import { pour } from '../src/adapters/pour'
import { createS3, type S3 } from '../src/adapters/s3'
import type { S3Options } from '../src/adapters/s3-calls'
import { createS3Writer } from '../src/adapters/s3-write'
import type { Failure } from '../src/errors'
import { randomBytes } from '../src/lib/crypto'
import { randomBase62 } from '../src/lib/id'
import type { Blobs, StagedBlob } from '../src/ports'
import { blobsContract, newRight, put, take } from './contract/blobs'
import { failureOf } from './contract/database'
import { hasS3, newS3Options, testS3 } from './s3'
import { startProxy } from './scale/proxy'

const mebibyte = 1024 * 1024
// The least that S3 takes as a part.
const partBytes = 5 * mebibyte

const open = (options: S3Options): { s3: S3; blobs: Blobs } => {
  const s3 = createS3(options)
  return { s3, blobs: createS3Blobs({ s3, pour, partBytes: () => partBytes }) }
}
const newBucket = async () => open(await newS3Options())
const left = async (s3: S3) => [
  ...(await Array.fromAsync(s3.list(''))).map(({ key }) => key.split('/')[0]),
  ...(await Array.fromAsync(s3.uploads(''))).map(() => 'upload'),
]
const drain = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    chunks.push(value)
  }
}
const streamOf = async (blobs: Blobs, key: string, size: number, right = newRight()) => {
  const body = await blobs.open(key, size, { start: 0, end: size }, right.hold)
  if (!(body instanceof ReadableStream)) throw new Error('a large range is a stream')
  return body.getReader()
}

test('a writer that is let go of gives its memory back at once', async () => {
  const writer = createS3Writer({} as S3, 'key', partBytes)
  await writer.write(randomBytes(100_000))
  const held = writer.tail()
  expect(held.length).toBe(100_000)
  writer.release()
  expect(held.buffer.byteLength).toBe(0)
})

describe.skipIf(!hasS3())('with a bucket', () => {
  blobsContract('blobs in a bucket', async () => (await newBucket()).blobs)

  test('what fits one part is one request, and leaves nothing beside it', async () => {
    const options = await newS3Options()
    let calls = 0
    const fetch: S3Options['fetch'] = (input, init) => {
      calls++
      return options.fetch(input, init)
    }
    const { s3, blobs } = open({ ...options, fetch })
    await put(blobs, randomBytes(partBytes))
    expect(calls).toBe(1)
    expect(await left(s3)).toEqual(['objects'])
  })

  test('what needs several parts is the object whole, and leaves no upload and no tail', async () => {
    const { s3, blobs } = await newBucket()
    const [key, bytes] = [randomBase62(26), randomBytes(2 * partBytes + 12_345)]
    let staged = await blobs.stage(key, bytes.length)
    for (let at = 0; at < bytes.length; at += 3_000_000) {
      await staged.write(bytes.slice(at, at + 3_000_000))
      const saved = await staged.save()
      expect(saved.length).toBeLessThan(300)
      await staged.pause()
      staged = await blobs.resume(key, saved)
    }
    expect((await left(s3)).sort()).toEqual(['staged', 'staged', 'staged', 'upload'])
    await staged.publish()
    expect(await left(s3)).toEqual(['objects'])
    expect((await take(blobs, key, bytes.length, { start: 0, end: bytes.length })).equals(bytes)).toBeTrue()
  })

  test('discarded or old, nothing is left of parts and tails; what was written to just now stays', async () => {
    const { s3, blobs } = await newBucket()
    const stage = async (): Promise<StagedBlob> => {
      const staged = await blobs.stage(randomBase62(26), null)
      await staged.write(randomBytes(partBytes + 1))
      await staged.save()
      return staged
    }
    await (await stage()).discard()
    expect(await left(s3)).toEqual([])
    await stage()
    await stage()
    expect(await blobs.discardStaged(Date.now() - 60_000)).toBe(0)
    expect(await left(s3)).toHaveLength(4)
    expect(await blobs.discardStaged(Date.now() + 60_000)).toBe(2)
    expect(await left(s3)).toEqual([])
  })

  test('a writer that was given up takes nothing from the one that went on; with what it replaced nobody goes on', async () => {
    const { blobs } = await newBucket()
    const [key, part] = [randomBase62(26), randomBytes(partBytes)]
    const first = await blobs.stage(key, null)
    await first.write(part)
    await first.write(Buffer.from('a'))
    const early = await first.save()
    await first.write(Buffer.from('b'))
    const late = await first.save()
    const other = await blobs.resume(key, early)
    await other.write(Buffer.from('c'))
    await other.save()
    const again = await blobs.resume(key, late)
    await again.write(part)
    const second = await again.save()
    await other.write(part)
    await other.write(part)
    // Some stores keep a part that was replaced: with those one does go on, with the bytes that were saved.
    const replaced = await blobs.resume(key, second).catch((error: Failure) => error.code)
    const isKept = typeof replaced !== 'string'
    expect(isKept || replaced === 'not_found').toBeTrue()
    const last = isKept ? replaced : await blobs.resume(key, late)
    await last.publish()
    const all = Buffer.concat([part, Buffer.from('ab'), ...(isKept ? [part] : [])])
    expect((await take(blobs, key, all.length, { start: 0, end: all.length })).equals(all)).toBeTrue()
  })

  test('many saves leave but a few tails, from one request to the next', async () => {
    const { s3, blobs } = await newBucket()
    const key = randomBase62(26)
    let staged = await blobs.stage(key, null)
    for (let n = 0; n < 20; n++) {
      await staged.write(Buffer.from('a'))
      const saved = await staged.save()
      if (n % 3 === 0) staged = await blobs.resume(key, saved)
      expect((await left(s3)).length).toBeLessThanOrEqual(3)
    }
    await staged.publish()
    expect((await take(blobs, key, 20, { start: 0, end: 20 })).toString()).toBe('a'.repeat(20))
    expect(await left(s3)).toEqual(['objects'])
  })

  test('any range of it is exact', async () => {
    const { blobs } = await newBucket()
    const bytes = Buffer.from(randomBytes(2 * partBytes))
    const key = await put(blobs, bytes)
    for (let i = 0; i < 100; i++) {
      const [a, b] = [Math.floor(Math.random() * bytes.length), Math.floor(Math.random() * bytes.length)]
      const range = {
        start: Math.min(a, b),
        end: i % 2 ? Math.max(a, b) : Math.min(Math.min(a, b) + 70_000, bytes.length),
      }
      const got = await take(blobs, key, bytes.length, range)
      expect(got.equals(bytes.subarray(range.start, range.end))).toBeTrue()
    }
  })
})

describe.skipIf(!hasS3())('a bucket that goes away', () => {
  const away = async () => {
    const link = await startProxy((await testS3()).address)
    const options = await newS3Options(new URL(link.url).host)
    return { link, ...open({ ...options, patience: { ...options.patience!, attempts: 2, answerMs: 300 } }) }
  }

  test('and is back at once goes on with its streams where they were', async () => {
    const { link, blobs } = await away()
    const bytes = Buffer.from(randomBytes(3 * partBytes))
    const key = await put(blobs, bytes)
    const reader = await streamOf(blobs, key, bytes.length)
    const { value } = await reader.read()
    link.cut()
    link.mend()
    const rest = await drain(reader)
    expect(Buffer.concat([value!, rest]).equals(bytes)).toBeTrue()
    link.stop()
  })

  test('cuts its streams, which never end as if that was all, and gives back right and descriptor', async () => {
    const { link, blobs } = await away()
    const files = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
    const [size, right] = [8 * partBytes, newRight()]
    const key = await put(blobs, new Uint8Array(size))
    const before = files()
    const readers = await Promise.all(Array.from({ length: 20 }, () => streamOf(blobs, key, size, right)))
    for (const reader of readers) await reader.read()
    expect(right.holders()).toBe(20)
    link.cut()
    const ends = await Promise.allSettled(readers.map(drain))
    expect(ends.map(({ status }) => status)).toEqual(readers.map(() => 'rejected'))
    expect(right.holders()).toBe(0)
    expect(await failureOf(blobs.open(key, size, { start: 0, end: size }, right.hold))).toBe('unavailable')
    expect(files()).toBeLessThanOrEqual(before + 5)
    link.mend()
    expect((await drain(await streamOf(blobs, key, size))).length).toBe(size)
    link.stop()
  })

  test.each(['cut', 'freeze'] as const)('(%s) during an upload loses nothing that was saved', async (how) => {
    const { link, s3, blobs } = await away()
    const [key, kept, lost] = [randomBase62(26), randomBytes(partBytes + 999), randomBytes(2 * partBytes)]
    const staged = await blobs.stage(key, null)
    await staged.write(kept)
    const saved = await staged.save()
    link[how]()
    expect(await failureOf(staged.write(lost))).toBe('unavailable')
    expect(await failureOf(staged.publish())).toBe('written after its end')
    await staged.pause()
    expect(await failureOf(blobs.resume(key, saved))).toBe('unavailable')
    link.mend()
    expect(await Array.fromAsync(blobs.list(Date.now() + 60_000))).toEqual([])
    const again = await blobs.resume(key, saved)
    await again.write(lost)
    await again.publish()
    const all = Buffer.concat([kept, lost])
    expect((await take(blobs, key, all.length, { start: 0, end: all.length })).equals(all)).toBeTrue()
    expect(await left(s3)).toEqual(['objects'])
    link.stop()
  })
})
