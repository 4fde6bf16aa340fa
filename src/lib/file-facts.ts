// What a file is, found out while its bytes pass: their count, their SHA-256, and a type by what they begin with.
import { createHash } from 'node:crypto'
import { sniff, sniffBytes } from './sniff'

export type FileFacts = { size: number; sha256: string; type: string }

export type Looking = {
  /** Looks at the next bytes, and keeps none but the first. */
  look(chunk: Uint8Array): void
  size(): number
  /** Once, and last. `sha256` in hex. */
  tell(): FileFacts
}

/** Looks at a file from its first byte on. */
export const newLooking = (): Looking => {
  const [hash, head] = [createHash('sha256'), new Uint8Array(sniffBytes)]
  let size = 0
  return {
    look(chunk) {
      if (size < sniffBytes) head.set(chunk.subarray(0, sniffBytes - size), size)
      size += chunk.length
      hash.update(chunk)
    },
    size: () => size,
    tell: () => ({ size, sha256: hash.digest('hex'), type: sniff(head.subarray(0, size)) }),
  }
}
