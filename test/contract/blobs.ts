// What every blob store must hold, as one suite over an opener of empty stores.
import { beforeEach, describe, expect, test } from 'bun:test'
import { randomBytes } from '../../src/lib/crypto'
import { randomBase62 } from '../../src/lib/id'
import type { Blobs, ByteRange, Hold } from '../../src/ports'
import { failureOf } from './database'

export const put = async (blobs: Blobs, bytes: Uint8Array, key = randomBase62(26)): Promise<string> => {
  const staged = await blobs.stage(key, bytes.length)
  await staged.write(bytes)
  await staged.publish()
  return key
}

/** A right that lasts until `end`, and tells how many hold it. */
export const newRight = () => {
  const gone = new AbortController()
  let holders = 0
  const hold = (): Hold => {
    holders++
    const release = () => {
      holders--
    }
    return { signal: gone.signal, release }
  }
  return { hold, end: () => gone.abort(new Error('the right is gone')), holders: () => holders }
}
const { hold } = newRight()

export const take = async (blobs: Blobs, key: string, size: number, range: ByteRange): Promise<Buffer> =>
  Buffer.from(await new Response(await blobs.open(key, size, range, hold)).arrayBuffer())

const keysOf = async (blobs: Blobs, before: number): Promise<string[]> => {
  const keys: string[] = []
  for await (const key of blobs.list(before)) keys.push(key)
  return keys.sort()
}

const soon = () => Date.now() + 60_000
const longAgo = () => Date.now() - 60_000

export const blobsContract = (name: string, open: () => Promise<Blobs>) =>
  describe(name, () => {
    let blobs: Blobs
    beforeEach(async () => {
      blobs = await open()
    })

    test('keeps whose the objects are, as it was told last, and nobody before', async () => {
      expect(await blobs.owner()).toBeNull()
      for (const owner of ['one 1', 'one 2']) {
        await blobs.setOwner(owner)
        expect(await blobs.owner()).toBe(owner)
      }
      expect(await keysOf(blobs, soon())).toEqual([])
    })

    test('gives back exactly what was written, whole and in any range', async () => {
      const parts = [randomBytes(70_000), new Uint8Array(0), randomBytes(1), randomBytes(300_000)]
      const all = Buffer.concat(parts)
      const key = randomBase62(26)
      const staged = await blobs.stage(key, null)
      for (const part of parts) await staged.write(part)
      await staged.publish()
      for (const [start, end] of [
        [0, all.length],
        [0, 1],
        [69_999, 70_002],
        [all.length - 1, all.length],
        [5, 5],
      ] as const)
        expect((await take(blobs, key, all.length, { start, end })).equals(all.subarray(start, end))).toBeTrue()
      const range = { start: 69_999, end: 140_002 }
      expect(
        all.subarray(range.start, range.end).equals((await blobs.read?.(key, range)) ?? all.subarray(69_999, 140_002)),
      ).toBeTrue()
    })

    describe('what is too large to be sent at once', () => {
      const bytes = Buffer.alloc(17 * 1024 * 1024, 'abcdefghijk')
      const range = { start: 3, end: bytes.length - 3 }
      const stream = async (right: ReturnType<typeof newRight>) => {
        const body = await blobs.open(await put(blobs, bytes), bytes.length, range, right.hold)
        if (!(body instanceof ReadableStream)) throw new Error('a large range is a stream')
        return body
      }

      test('is streamed whole, and holds its right no longer than that', async () => {
        const right = newRight()
        const got = Buffer.from(await new Response(await stream(right)).arrayBuffer())
        expect(got.equals(bytes.subarray(3, -3))).toBeTrue()
        expect(right.holders()).toBe(0)
      })

      test('comes as it is read, and breaks off when its right is gone', async () => {
        const right = newRight()
        const reader = (await stream(right)).getReader()
        expect((await reader.read()).value?.length).toBeLessThanOrEqual(256 * 1024)
        expect(right.holders()).toBe(1)
        right.end()
        const rest = async () => {
          while (!(await reader.read()).done);
        }
        await expect(rest()).rejects.toThrow()
        expect(right.holders()).toBe(0)
      })

      test('ends when its reader goes, or never begins', async () => {
        const right = newRight()
        const reader = (await stream(right)).getReader()
        await reader.read()
        await reader.cancel()
        await (await stream(right)).cancel()
        for (let i = 0; i < 1000 && right.holders() > 0; i++) await Bun.sleep(1)
        expect(right.holders()).toBe(0)
      })
    })

    test('shows nothing of what is only staged', async () => {
      const key = randomBase62(26)
      const staged = await blobs.stage(key, 3)
      await staged.write(Buffer.from('abc'))
      expect(await failureOf(blobs.open(key, 3, { start: 0, end: 3 }, hold))).toBe('not_found')
      expect(await keysOf(blobs, soon())).toEqual([])
      await staged.publish()
      expect(await keysOf(blobs, soon())).toEqual([key])
    })

    test('forgets what is discarded, and keeps what was published before', async () => {
      const [given, kept] = [randomBase62(26), randomBase62(26)]
      const dropped = await blobs.stage(given, 3)
      await dropped.write(Buffer.from('abc'))
      await dropped.discard()
      await dropped.discard()
      const published = await blobs.stage(kept, 3)
      await published.write(Buffer.from('abc'))
      await published.publish()
      await published.discard()
      expect(await keysOf(blobs, soon())).toEqual([kept])
      expect(await blobs.discardStaged(soon())).toBe(0)
    })

    test('goes on from what was saved, and drops what was written after it', async () => {
      const [key, parts] = [randomBase62(26), [randomBytes(300_000), randomBytes(70_000), randomBytes(1)]]
      const first = await blobs.stage(key, null)
      await first.write(parts[0]!)
      const saved = await first.save()
      await first.write(randomBytes(5000))
      await first.pause()
      const second = await blobs.resume(key, saved)
      await second.write(parts[1]!)
      const savedAgain = await second.save()
      await second.pause()
      const third = await blobs.resume(key, savedAgain)
      await third.write(parts[2]!)
      await third.publish()
      const all = Buffer.concat(parts)
      expect((await take(blobs, key, all.length, { start: 0, end: all.length })).equals(all)).toBeTrue()
    })

    test('takes nothing more, and saves nothing, once it was let go of', async () => {
      for (const end of ['pause', 'discard'] as const) {
        const staged = await blobs.stage(randomBase62(26), 3)
        await staged.write(Buffer.from('abc'))
        await staged[end]()
        expect(await failureOf(staged.write(Buffer.from('d')))).toBe('written after its end')
        expect(await failureOf(staged.save())).toBe('written after its end')
      }
    })

    test('knows of what was published meanwhile, and not of what was discarded', async () => {
      const [published, dropped] = [randomBase62(26), randomBase62(26)]
      const saved: string[] = []
      for (const key of [published, dropped]) {
        const staged = await blobs.stage(key, 3)
        await staged.write(Buffer.from('abc'))
        saved.push(await staged.save())
        await (key === published ? staged.publish() : staged.discard())
      }
      const again = await blobs.resume(published, saved[0]!)
      expect(again.isPublished).toBeTrue()
      await again.publish()
      await again.discard()
      expect((await take(blobs, published, 3, { start: 0, end: 3 })).toString()).toBe('abc')
      expect(await failureOf(blobs.resume(dropped, saved[1]!))).toBe('not_found')
    })

    test('knows no object of another size, nor one that was removed', async () => {
      const key = await put(blobs, Buffer.from('abc'))
      expect(await failureOf(blobs.open(key, 4, { start: 0, end: 4 }, hold))).toBe('not_found')
      expect((await take(blobs, key, 3, { start: 0, end: 3 })).toString()).toBe('abc')
      await blobs.remove(key)
      await blobs.remove(key)
      expect(await failureOf(blobs.open(key, 3, { start: 0, end: 3 }, hold))).toBe('not_found')
    })

    test('tells what is old from what is under way', async () => {
      const key = await put(blobs, Buffer.from('abc'))
      const staged = await blobs.stage(randomBase62(26), null)
      await staged.save()
      expect([await keysOf(blobs, longAgo()), await blobs.discardStaged(longAgo())]).toEqual([[], 0])
      expect([await keysOf(blobs, soon()), await blobs.discardStaged(soon())]).toEqual([[key], 1])
      await staged.discard()
    })

    test('takes no key that could be a path', async () => {
      for (const key of ['../../etc/passwd', 'a/b', '', '.', `${'a'.repeat(26)}\0`, 'short'])
        expect(await failureOf(blobs.stage(key, 1))).toBe('not the key of an object')
    })

    test('says that it is well', async () => {
      await blobs.check()
    })
  })
