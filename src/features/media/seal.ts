// Bytes on their way to where they are staged, sealed as they go: what is kept there has never been anything else.
import { free } from '../../lib/memory'
import { type Segments, sealedSegmentBytes, segmentBytes } from '../../lib/segments'
import type { StagedBlob } from '../../ports'
import { Damaged } from './unseal'

/** What sealing resumes from: how many segments are with `inner`, the bytes that are yet to fill one, and what `inner` saved. */
export type SavedSeal = { index: number; tail: string; inner: string }

/** The bytes of a saved tail. @throws Damaged */
const openTail = ({ index, tail }: SavedSeal, segments: Segments): Uint8Array => {
  const bytes = segments.open(index, Buffer.from(tail, 'base64url'), 'tail')
  if (!bytes || bytes.length >= segmentBytes) throw new Damaged('What was saved of an upload does not open')
  return bytes
}

/**
 * `inner`, handed whole segments only; the rest waits in memory, and is sealed into what `save` gives, at most 90 KiB.
 * After a write or an end that failed, only what was saved before can be resumed. `from`: what an earlier one saved.
 * @throws Damaged where that does not open.
 */
export const sealInto = (
  inner: StagedBlob,
  segments: Segments,
  from?: SavedSeal,
): Omit<StagedBlob, 'save'> & { save(): Promise<SavedSeal> } => {
  const [plain, sealed] = [new Uint8Array(segmentBytes), new Uint8Array(sealedSegmentBytes)]
  let [index, filled, isSound, isOver] = [from?.index ?? 0, 0, true, false]
  if (from) {
    const tail = openTail(from, segments)
    plain.set(tail)
    filled = tail.length
  }

  const pass = async () => {
    isSound = false
    await inner.write(segments.seal(index, plain.subarray(0, filled), sealed))
    index++
    filled = 0
    isSound = true
  }
  const checkSound = () => {
    if (isOver) throw new Error('written after its end')
    if (!isSound) throw new Error('written after it failed')
  }
  const letGo = () => {
    isOver = true
    free(plain)
    free(sealed)
  }

  return {
    ...(inner.isPublished && { isPublished: true }),
    async write(chunk) {
      for (let at = 0; at < chunk.length; ) {
        checkSound()
        const part = chunk.subarray(at, at + segmentBytes - filled)
        plain.set(part, filled)
        filled += part.length
        at += part.length
        if (filled === segmentBytes) await pass()
      }
    },
    async save() {
      checkSound()
      const tail = segments.seal(index, plain.subarray(0, filled), sealed, 'tail')
      return { index, tail: Buffer.from(tail).toString('base64url'), inner: await inner.save() }
    },
    async publish() {
      if (filled > 0 && !inner.isPublished) {
        checkSound()
        await pass()
      }
      isSound = false
      await inner.publish()
    },
    async pause() {
      letGo()
      await inner.pause()
    },
    async discard() {
      letGo()
      await inner.discard()
    },
  }
}
