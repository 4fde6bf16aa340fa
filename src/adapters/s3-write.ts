// Writing an object whose size nobody knows yet: gathered into parts, one in memory at a time; one PUT where it stays small.
import { Failure, isFailure } from '../errors'
import { free } from '../lib/memory'
import type { S3 } from './s3'

/** Parts already with the bucket, and the bytes after them. */
export type S3Begun = { id: string | null; etags: string[]; tail: Uint8Array }
export type S3Writer = {
  write(chunk: Uint8Array): Promise<void>
  /** What is not yet a part of its own. Good until the next write. */
  tail(): Uint8Array<ArrayBuffer>
  /** The upload, null before its first part, and its parts so far. */
  upload(): { id: string | null; etags: readonly string[] }
  /** Makes the object. Once only. @throws Failure */
  complete(): Promise<void>
  /** Gives back its memory: nothing more can be written to it, nor its tail read. */
  release(): void
  /** Forgets what was sent. */
  abort(): Promise<void>
}

const leastBytes = 8 * 1024 * 1024
const maxParts = 10_000
/** The size of its parts: the same for all of them, since some stores demand that. `expectedBytes`: null if unknown. */
export const partBytesFor = (expectedBytes: number | null): number =>
  Math.max(leastBytes, Math.ceil((expectedBytes ?? 0) / maxParts))

/** After a failure nothing more can be written to it; what the bucket took stays. */
export const createS3Writer = (s3: S3, key: string, partBytes: number, begun?: S3Begun): S3Writer => {
  let { id, etags, tail }: S3Begun = begun ?? { id: null, etags: [], tail: new Uint8Array(0) }
  let buffer = new Uint8Array(Math.min(partBytes, Math.max(tail.length, 64 * 1024)))
  let held = tail.length
  buffer.set(tail)
  let [isBroken, isReleased] = [false, false]

  const once = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isBroken) throw new Error('written after its end')
    isBroken = true
    const result = await work()
    isBroken = false
    return result
  }
  const grow = (bytes: number) => {
    if (bytes <= buffer.length) return
    const larger = new Uint8Array(Math.min(partBytes, Math.max(bytes, buffer.length * 2)))
    larger.set(buffer.subarray(0, held))
    buffer = larger
  }
  const send = async () => {
    if (etags.length === maxParts) throw new Failure('too_large')
    id ??= await s3.begin(key)
    etags.push(await s3.putPart(key, id, etags.length + 1, buffer.subarray(0, held)))
    held = 0
  }

  return {
    write: (chunk) =>
      once(async () => {
        for (let offset = 0; offset < chunk.length; ) {
          // A full part waits for what comes after it: the last one is never empty.
          if (held === partBytes) await send()
          const piece = chunk.subarray(offset, offset + partBytes - held)
          grow(held + piece.length)
          buffer.set(piece, held)
          held += piece.length
          offset += piece.length
        }
      }),
    tail() {
      if (isReleased) throw new Error('written after its end')
      return buffer.subarray(0, held)
    },
    upload: () => ({ id, etags }),
    complete: () =>
      once(async () => {
        if (id === null) return s3.put(key, buffer.subarray(0, held))
        const size = etags.length * partBytes + held
        await send()
        await s3.complete(key, id, etags).catch(async (error) => {
          // An answer that was lost: then asking again finds the upload gone, and the object there.
          const isGone = isFailure(error, 'not_found')
          if (!isGone || (await s3.sizeOf(key)) !== size) throw error
        })
      }),
    release() {
      // A call that failed may still be reading it: then it is only let go of.
      if (!isBroken) free(buffer)
      buffer = new Uint8Array(0)
      isBroken = true
      isReleased = true
    },
    abort: async () => {
      isBroken = true
      if (id !== null) await s3.abort(key, id)
    },
  }
}
