// Sealed objects: what went in comes out in every range, and nothing that is not exactly that.
import { describe, expect, test } from 'bun:test'
import { closeSync, copyFileSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { randomBytes } from '../src/lib/crypto'
import { randomBase62 } from '../src/lib/id'
import { createSegments, sealedSegmentBytes, sealedSize, segmentBytes } from '../src/lib/segments'
import type { Blobs } from '../src/ports'
import { blobsContract, newRight, put, take } from './contract/blobs'
import { sealAll } from './sealed'
import { newFolder } from './template'

/** As a store does that is reached over a network: whatever is asked for comes as a stream, in chunks of any length. */
const streaming = ({ read: _, ...blobs }: Blobs): Blobs => ({
  ...blobs,
  open: async (key, size, range, hold) => {
    const bytes = new Uint8Array(await new Response(await blobs.open(key, size, range, hold)).arrayBuffer())
    return new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 70_001) controller.enqueue(bytes.slice(at, at + 70_001))
        controller.close()
      },
    })
  },
})

const newDisk = () => createDiskBlobs({ folder: newFolder() })
blobsContract('sealed blobs on disk', async () => sealAll(newDisk(), randomBytes(32)))
blobsContract('sealed blobs in a store that streams', async () => sealAll(streaming(newDisk()), randomBytes(32)))

const folder = newFolder()
const disk = createDiskBlobs({ folder })
const told: unknown[] = []
const sealed = sealAll(disk, randomBytes(32), told)
const fileOf = (key: string) => join(folder, 'objects', key)
const some = (size: number) => Buffer.from(randomBytes(Math.min(size, 65_536))).toString('latin1')
const bytesOf = (size: number) => Buffer.alloc(size, some(size) || 'x', 'latin1')

describe('a sealed object', () => {
  const edges = [0, 1, 2, 3].map((n) => n * segmentBytes)
  const sizes = [...new Set(edges.flatMap((edge) => [edge - 1, edge, edge + 1]))].filter((size) => size >= 0)

  test.each(sizes)(
    'of %p bytes gives back every range that begins or ends beside an edge of a segment',
    async (size) => {
      const bytes = bytesOf(size)
      const key = await put(sealed, bytes)
      expect(readFileSync(fileOf(key)).length).toBe(sealedSize(size))
      const points = [...new Set([0, 1, ...sizes, size - 1, size])].filter((point) => point >= 0 && point <= size)
      for (const start of points)
        for (const end of points.filter((point) => point >= start))
          expect((await take(sealed, key, size, { start, end })).equals(bytes.subarray(start, end))).toBeTrue()
    },
  )

  test('that is streamed gives back every range that begins or ends beside an edge', async () => {
    const size = 19 * segmentBytes + 1
    const bytes = bytesOf(size)
    const key = await put(sealed, bytes)
    for (const start of [0, 1, segmentBytes - 1, segmentBytes, segmentBytes + 1])
      for (const end of [size, size - 1, size - 2, size - segmentBytes - 1, size - segmentBytes]) {
        const body = await sealed.open(key, size, { start, end }, newRight().hold)
        expect(body instanceof ReadableStream).toBeTrue()
        const got = Buffer.from(await new Response(body).arrayBuffer())
        expect(got.equals(bytes.subarray(start, end))).toBeTrue()
      }
  })

  test('reads of the store no more than the segments of the range', async () => {
    const asked: [number, number][] = []
    const watched = sealAll(
      {
        ...disk,
        open: (key, size, range, hold) => {
          asked.push([range.start, range.end])
          return disk.open(key, size, range, hold)
        },
      },
      randomBytes(32),
    )
    const key = await put(watched, bytesOf(40 * segmentBytes))
    await take(watched, key, 40 * segmentBytes, { start: 3 * segmentBytes + 7, end: 4 * segmentBytes + 1 })
    await take(watched, key, 40 * segmentBytes, { start: 8, end: 9 })
    expect(asked).toEqual([
      [3 * sealedSegmentBytes, 5 * sealedSegmentBytes],
      [0, sealedSegmentBytes],
    ])
  })

  test('says the same twice in no two ways alike: each segment has a nonce of its own', async () => {
    const [one, two] = [await put(sealed, Buffer.alloc(200_000)), await put(sealed, Buffer.alloc(200_000))]
    const nonces = [one, two].flatMap((key) =>
      [0, 1, 2, 3].map((i) =>
        readFileSync(fileOf(key))
          .subarray(i * sealedSegmentBytes)
          .subarray(0, 12)
          .toString('hex'),
      ),
    )
    expect(new Set(nonces).size).toBe(8)
  })

  test('is gone on from at any odd place, over and over, and what was written after the last save is dropped', async () => {
    const steps = [1, 65_535, 1, 65_537, 30_000, 131_072, 17]
    const key = randomBase62(26)
    const parts: Buffer[] = []
    let saved: string | undefined
    for (const step of steps) {
      const staged = saved === undefined ? await sealed.stage(key, null) : await sealed.resume(key, saved)
      const part = bytesOf(step)
      parts.push(part)
      await staged.write(part)
      saved = await staged.save()
      expect(saved.length).toBeLessThan(100 * 1024)
      await staged.write(bytesOf(70_001))
      await staged.pause()
    }
    await (await sealed.resume(key, saved!)).publish()
    const all = Buffer.concat(parts)
    expect((await take(sealed, key, all.length, { start: 0, end: all.length })).equals(all)).toBeTrue()
  })

  test('is not gone on from after a write that failed, but from what was saved before', async () => {
    const key = randomBase62(26)
    let full = false
    const failing = sealAll(
      {
        ...disk,
        stage: async (blob, bytes) => {
          const staged = await disk.stage(blob, bytes)
          return { ...staged, write: async (chunk) => (full ? Promise.reject(new Error('full')) : staged.write(chunk)) }
        },
      },
      randomBytes(32),
    )
    const staged = await failing.stage(key, null)
    await staged.write(Buffer.alloc(100, 1))
    const saved = await staged.save()
    full = true
    await expect(staged.write(bytesOf(segmentBytes))).rejects.toThrow('full')
    await expect(staged.save()).rejects.toThrow()
    await expect(staged.publish()).rejects.toThrow()
    await staged.pause()
    await (await failing.resume(key, saved)).publish()
    expect((await take(failing, key, 100, { start: 0, end: 100 })).equals(Buffer.alloc(100, 1))).toBeTrue()
  })
})

describe('a sealed object that was altered', () => {
  const size = 20 * segmentBytes + 100
  const bytes = bytesOf(size)
  const all = { start: 0, end: size }
  const alter = async (change: (object: Buffer, key: string) => Buffer | undefined) => {
    const key = await put(sealed, bytes)
    const object = readFileSync(fileOf(key))
    writeFileSync(fileOf(key), change(object, key) ?? object)
    return key
  }
  const flip = (at: number) => (object: Buffer) => {
    object[at]! ^= 1
    return object
  }
  const refused = async (key: string, range = all) =>
    take(sealed, key, size, range).then(
      () => 'given',
      (error: { code?: string; name: string }) => error.code ?? error.name,
    )

  test.each([
    ['nonce', 0],
    ['ciphertext', 12],
    ['end of the ciphertext', 12 + segmentBytes - 1],
    ['tag', 12 + segmentBytes],
    ['end of the tag', sealedSegmentBytes - 1],
  ])('in the %s of a segment gives nothing of that segment, and all of the others', async (_, at) => {
    const key = await alter(flip(2 * sealedSegmentBytes + at))
    const own = { start: 2 * segmentBytes, end: 3 * segmentBytes }
    expect(await refused(key, own)).toBe('Damaged')
    expect(await refused(key, { start: own.start + 5, end: own.start + 6 })).toBe('Damaged')
    const others = { start: 0, end: 2 * segmentBytes }
    expect((await take(sealed, key, size, others)).equals(bytes.subarray(0, 2 * segmentBytes))).toBeTrue()
  })

  test('in its first segment fails before there is a stream; in a later one the stream breaks off after what is sound', async () => {
    const first = await alter(flip(500))
    await expect(sealed.open(first, size, all, newRight().hold)).rejects.toThrow('Segment 0')
    const later = await alter(flip(5 * sealedSegmentBytes + 500))
    told.length = 0
    const right = newRight()
    const reader = ((await sealed.open(later, size, all, right.hold)) as ReadableStream<Uint8Array>).getReader()
    const got: Uint8Array[] = []
    const read = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) got.push(next.value)
    }
    await expect(read()).rejects.toThrow('Segment 5')
    expect(Buffer.concat(got).equals(bytes.subarray(0, 5 * segmentBytes))).toBeTrue()
    expect([told.length, right.holders()]).toEqual([1, 0])
  })

  test('by two segments that changed places, or one that stands twice, does not open', async () => {
    const swapped = await alter((object) => {
      const two = object.subarray(sealedSegmentBytes, 3 * sealedSegmentBytes)
      const [b, c] = [Buffer.from(two.subarray(0, sealedSegmentBytes)), Buffer.from(two.subarray(sealedSegmentBytes))]
      two.set(c)
      two.set(b, sealedSegmentBytes)
      return undefined
    })
    expect(await refused(swapped)).toBe('Damaged')
    const twice = await alter((object) => void object.copy(object, sealedSegmentBytes, 0, sealedSegmentBytes))
    expect(await refused(twice, { start: segmentBytes, end: 2 * segmentBytes })).toBe('Damaged')
  })

  test('by an end that was cut off, or something put behind it, does not open', async () => {
    for (const length of [
      sealedSize(size) - 1,
      sealedSize(size) - 128,
      20 * sealedSegmentBytes,
      sealedSize(size) + 1,
      0,
    ]) {
      const key = await alter(() => undefined)
      const fd = openSync(fileOf(key), 'r+')
      ftruncateSync(fd, length)
      closeSync(fd)
      expect(await refused(key, { start: 0, end: 1 })).toBe('not_found')
    }
    // A row that was altered with it: the last segment is not the last, or not whole.
    for (const shorter of [size - 1, 20 * segmentBytes]) {
      const key = await alter((object) => object.subarray(0, sealedSize(shorter)))
      const isWhole = shorter % segmentBytes === 0
      const open = take(sealed, key, shorter, { start: shorter - 1, end: shorter })
      // A cut between segments is for the key to tell, which is bound to size and count.
      if (isWhole) expect((await open).length).toBe(1)
      else await expect(open).rejects.toThrow('does not open')
    }
  })

  test('by the bytes of another, sealed under another key or the same, does not open', async () => {
    const [one, two] = [await put(sealed, bytes), await put(sealed, bytes)]
    copyFileSync(fileOf(one), fileOf(two))
    expect(await refused(two)).toBe('Damaged')
    const stranger = await put(sealAll(disk, randomBytes(32)), bytes)
    expect(await refused(stranger)).toBe('Damaged')
  })

  test('while it was staged is not gone on from', async () => {
    const key = randomBase62(26)
    const staged = await sealed.stage(key, null)
    await staged.write(bytesOf(70_000))
    const saved = JSON.parse(await staged.save())
    await staged.pause()
    const tail = Buffer.from(saved.tail, 'base64url')
    tail[20]! ^= 1
    for (const bad of [{ tail: tail.toString('base64url') }, { index: 0 }, { tail: '' }])
      await expect(sealed.resume(key, JSON.stringify({ ...saved, ...bad }))).rejects.toThrow('does not open')
    await (await sealed.resume(key, JSON.stringify(saved))).discard()
  })
})

test('a saved tail is no segment, nor a segment a tail', () => {
  const { seal, open } = createSegments(randomBytes(32), ['a'])
  const tail = seal(3, Buffer.from('abc'), new Uint8Array(100), 'tail')
  expect([open(3, tail), open(2, tail, 'tail')]).toEqual([null, null])
  expect(Buffer.from(open(3, tail, 'tail')!).toString()).toBe('abc')
})
