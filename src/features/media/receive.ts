// Bytes on their way in: counted, hashed and looked at while they go to where they are staged. Never held.
import { createHash } from 'node:crypto'
import { Failure } from '../../errors'
import { type Floor, keepPace } from '../../lib/pace'
import { sniff, sniffBytes } from '../../lib/sniff'
import { cutBy } from '../../lib/stream'
import type { StagedBlob } from '../../ports'

export type Limits = { maxBytes: number; floor: Floor }
/** `grow` is told of further bytes before they are written. */
type Growing = Limits & { grow: (bytes: number) => Promise<void> }
export type Received = { size: number; sha256: string; type: string }

const tooLarge = (maxBytes: number) => new Failure('too_large', `At most ${maxBytes} bytes`)

/** The body's chunks. However it breaks off, that is the sender's failure, or what `signal` was aborted with. */
async function* chunksOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of cutBy(body, signal)) yield chunk
  } catch (cause) {
    throw signal.reason instanceof Failure ? signal.reason : new Failure('malformed', 'The body broke off', { cause })
  }
}

// Chunks gather faster than they are collected: a body of 1 GB took 115 MB of memory at its peak, and takes 12 so.
const free = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/**
 * Writes a body to `staged` and says what it was. `bytes`: how many the sender announced, or null.
 * @throws Failure `too_large`, by announcement or by count; `malformed` where it breaks off, falls short or falls under
 * the floor; what `signal` is aborted with; what `staged` throws.
 */
export const receive = async (
  body: ReadableStream<Uint8Array> | null,
  bytes: number | null,
  staged: StagedBlob,
  { maxBytes, floor, grow }: Growing,
  signal: AbortSignal,
): Promise<Received> => {
  if (bytes !== null && bytes > maxBytes) throw tooLarge(maxBytes)
  const [hash, head] = [createHash('sha256'), new Uint8Array(sniffBytes)]
  const stalled = new AbortController()
  const pace = keepPace(floor, () => stalled.abort(new Failure('malformed', 'The body came too slowly')))
  let size = 0
  try {
    for await (const chunk of body ? chunksOf(body, AbortSignal.any([signal, stalled.signal])) : []) {
      if (size < sniffBytes) head.set(chunk.subarray(0, sniffBytes - size), size)
      size += chunk.length
      if (size > maxBytes) throw tooLarge(maxBytes)
      await grow(chunk.length)
      pace.moved(chunk.length)
      hash.update(chunk)
      await staged.write(chunk)
      free(chunk)
    }
  } finally {
    pace.end()
  }
  if (bytes !== null && size !== bytes) throw new Failure('malformed', 'The body is not as long as was said')
  return { size, sha256: hash.digest('hex'), type: sniff(head.subarray(0, size)) }
}
