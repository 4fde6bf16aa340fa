// Sealed bytes on their way out: only the segments a range needs, and never a byte that has not proved what it is.
import { free } from '../../lib/memory'
import { playerBytes } from '../../lib/range'
import { type Segments, sealedSegmentBytes, sealedSize, segmentBytes } from '../../lib/segments'
import type { BlobBody, Blobs, ByteRange, Hold, Pour } from '../../ports'

type Sealed = { blob: string; size: number; segments: Segments }
type Deps = { blobs: Blobs; pour: Pour; damaged: (error: Damaged) => void }
/** Raised for bytes that are not those that were stored. */
export class Damaged extends Error {
  override name = 'Damaged'
}

/** The chunks of a stream, cut anew where segments end. */
async function* cutSegments(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let [segment, filled] = [new Uint8Array(sealedSegmentBytes), 0]
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + sealedSegmentBytes - filled)
      segment.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < sealedSegmentBytes) continue
      yield segment
      segment = new Uint8Array(sealedSegmentBytes)
      filled = 0
    }
    free(chunk)
  }
  if (filled > 0) yield segment.subarray(0, filled)
}

const streamOf = (body: BlobBody): ReadableStream<Uint8Array> =>
  body instanceof ReadableStream ? body : new Blob([body]).stream()
const bytesOf = async (body: BlobBody): Promise<Uint8Array> =>
  body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer())

/** Reads one sealed object, of which `range` is wanted. */
const createReader = (blobs: Blobs, { blob, size, segments }: Sealed, range: ByteRange) => {
  const whole = sealedSize(size)
  const rangeOf = (from: number, to: number) => ({
    start: from * sealedSegmentBytes,
    end: Math.min(to * sealedSegmentBytes, whole),
  })
  /** The sealed form of some of its segments, each in memory of its own. */
  async function* sealedOnes(from: number, to: number, hold: () => Hold): AsyncGenerator<Uint8Array, void> {
    if (blobs.read) for (let index = from; index < to; index++) yield await blobs.read(blob, rangeOf(index, index + 1))
    else yield* cutSegments(streamOf(await blobs.open(blob, whole, rangeOf(from, to), hold)))
  }
  /** What of a segment is wanted, in memory of its own. */
  const openPart = (index: number, sealed: Uint8Array) => {
    const plain = segments.open(index, sealed)
    if (!plain) throw new Damaged(`Segment ${index} does not open`)
    const at = index * segmentBytes
    return { plain, part: plain.subarray(Math.max(0, range.start - at), range.end - at) }
  }

  return {
    /** What is wanted of some segments, at once. */
    async now(from: number, to: number, hold: () => Hold): Promise<Uint8Array<ArrayBuffer>> {
      const sealed = await bytesOf(await blobs.open(blob, whole, rangeOf(from, to), hold))
      const start = Math.max(range.start, from * segmentBytes)
      const bytes = new Uint8Array(Math.min(range.end, to * segmentBytes) - start)
      for (let index = from; index < to; index++) {
        const begin = (index - from) * sealedSegmentBytes
        const { plain, part } = openPart(index, sealed.subarray(begin, begin + sealedSegmentBytes))
        bytes.set(part, Math.max(0, index * segmentBytes - start))
        free(plain)
      }
      return bytes
    },
    /** The same, one by one as `write` takes them, while `right` lasts. */
    async pass(from: number, to: number, right: Hold, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
      let index = from
      for await (const sealed of sealedOnes(from, to, () => ({ ...right, release: () => {} }))) {
        const { plain, part } = openPart(index++, sealed)
        free(sealed)
        right.signal.throwIfAborted()
        const written = write(part)
        free(plain)
        await written
      }
      if (index < to) throw new Damaged('An object is shorter than its size')
    },
  }
}

/**
 * Bytes of a range of a sealed object of `size` plain bytes, by the rules of `Blobs.open`. `damaged` is told of bytes in a
 * stream that are not what was stored, before it breaks off.
 * @throws Failure `not_found`; Damaged, where that is known before the first byte.
 */
export const openSealed = async (
  { blobs, pour, damaged }: Deps,
  object: Sealed,
  range: ByteRange,
  hold: () => Hold,
): Promise<BlobBody> => {
  const [first, last] = [Math.floor(range.start / segmentBytes), Math.ceil(range.end / segmentBytes)]
  const reader = createReader(blobs, object, range)
  if (range.end - range.start <= playerBytes) return reader.now(first, last, hold)
  // Opened before anything is answered, so that a wrong key gives no byte.
  const beginning = await reader.now(first, first + 1, hold)
  return pour(async (write) => {
    const right = hold()
    try {
      right.signal.throwIfAborted()
      const written = write(beginning)
      free(beginning)
      await written
      await reader.pass(first + 1, last, right, write)
    } catch (error) {
      if (error instanceof Damaged) damaged(error)
      throw error
    } finally {
      right.release()
    }
  })
}
