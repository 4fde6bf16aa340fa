// The format of sealed objects: segments of 64 KiB, each `nonce(12) ‖ ciphertext ‖ tag(16)` by AES-256-GCM, nothing else.
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { randomBytes } from './crypto'
import { free } from './memory'

export const segmentBytes = 65_536
const [nonceBytes, tagBytes] = [12, 16]
const addedBytes = nonceBytes + tagBytes
export const sealedSegmentBytes = segmentBytes + addedBytes

/** How many segments `size` bytes take: none for none, and only the last is short. */
export const segmentsOf = (size: number): number => Math.ceil(size / segmentBytes)

/** How long `size` bytes are once sealed. */
export const sealedSize = (size: number): number => size + addedBytes * segmentsOf(size)

/**
 * Seals and opens segments of one object. `place` goes into each tag beside the segment's index, so that none opens in
 * another object or at another index; that none is missing at the end is for whoever keeps the object's size.
 * A key is for one object: nonces are random, and stand for 2^32 segments (NIST SP 800-38D, 8.3).
 * node:crypto: at 64 KiB it opens 6 GB/s here, WebCrypto 4 with four in flight, each with a copy of its own, and 0.9 with one.
 */
export const createSegments = (key: Uint8Array, place: readonly string[]) => {
  const aadOf = (index: number, kind: 'segment' | 'tail') =>
    Buffer.from(JSON.stringify(['latchkey segments 1', ...place, index, kind]))

  return {
    /** Writes the sealed form to the start of `into`, and gives that part. `tail`: what is yet to become the segment. */
    seal(index: number, plain: Uint8Array, into: Uint8Array, kind: 'segment' | 'tail' = 'segment'): Uint8Array {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aadOf(index, kind))
      const body = cipher.update(plain)
      cipher.final()
      into.set(nonce)
      into.set(body, nonceBytes)
      into.set(cipher.getAuthTag(), nonceBytes + body.length)
      free(body)
      return into.subarray(0, plain.length + addedBytes)
    },
    /** The plain bytes, in memory of their own; null if anything was altered, or it is not that segment of that object. */
    open(index: number, sealed: Uint8Array, kind: 'segment' | 'tail' = 'segment'): Uint8Array<ArrayBuffer> | null {
      if (sealed.length < addedBytes) return null
      const end = sealed.length - tagBytes
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes)).setAAD(aadOf(index, kind))
      decipher.setAuthTag(sealed.subarray(end))
      const plain = decipher.update(sealed.subarray(nonceBytes, end))
      try {
        decipher.final()
        return plain
      } catch {
        free(plain)
        return null
      }
    },
  }
}
export type Segments = ReturnType<typeof createSegments>
