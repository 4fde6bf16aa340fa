// A store whose objects are all sealed with one key: the format on its own, for the contract and for what it must withstand.
import { pour } from '../src/adapters/pour'
import { sealInto } from '../src/features/media/seal'
import { openSealed } from '../src/features/media/unseal'
import { createSegments, sealedSize } from '../src/lib/segments'
import type { Blobs } from '../src/ports'

/** `told` gets what was found damaged in a stream. */
export const sealAll = (blobs: Blobs, key: Uint8Array, told: unknown[] = []): Blobs => {
  const segmentsOf = (blob: string) => createSegments(key, [blob])
  const deps = { blobs, pour, damaged: (error: unknown) => void told.push(error) }
  const { read: _, ...others } = blobs
  return {
    ...others,
    stage: async (blob, expected) => {
      const inner = await blobs.stage(blob, expected === null ? null : sealedSize(expected))
      const staged = sealInto(inner, segmentsOf(blob))
      return { ...staged, save: async () => JSON.stringify(await staged.save()) }
    },
    resume: async (blob, saved) => {
      const from = JSON.parse(saved)
      const staged = sealInto(await blobs.resume(blob, from.inner), segmentsOf(blob), from)
      return { ...staged, save: async () => JSON.stringify(await staged.save()) }
    },
    open: (blob, size, range, hold) => openSealed(deps, { blob, size, segments: segmentsOf(blob) }, range, hold),
  }
}
