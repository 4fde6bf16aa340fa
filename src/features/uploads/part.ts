// The bytes that one request brings to an upload: written where it left off, put down now and then, and whole in the end.
import { createHash } from 'node:crypto'
import { Failure, isFailure } from '../../errors'
import { newBlobKey } from '../../lib/blob-key'
import { type Looking, newLooking } from '../../lib/file-facts'
import { createLru } from '../../lib/lru'
import type { Actor } from '../../permissions'
import type { Clock } from '../../ports'
import { guard } from '../../write'
import type { Finalize } from '../media/finalize'
import type { Shelf, Shelved } from '../media/shelf'
import type { Checksum } from './model'
import { type Limits, receive } from './receive'
import type { UploadRow, UploadStore } from './store'
import { type Turn, uploadMs } from './turns'

/** Of a request's checksum. SHA-1 is what tus 1.0 asks of every server. */
export const checksums = ['sha1', 'sha256']

// The most that a killed process loses. By time first: a fast sender resends quickly, and each save costs a slow disk the same.
const save = { bytes: 8 << 20, leastMs: 1000, mostMs: 10_000 }
const knownUploads = 1000

type Deps = { shelf: Shelf; clock: Clock; finalize: Finalize; store: UploadStore; floor: Limits['floor'] }
type Body = ReadableStream<Uint8Array>

const verifierOf = ({ algorithm }: Checksum) => {
  if (!checksums.includes(algorithm)) throw new Failure('malformed', `A checksum is of ${checksums.join(' or ')}`)
  return createHash(algorithm)
}

export const createParts = ({ shelf, clock, finalize, store, floor }: Deps) => {
  // What was found of uploads while they came. Where it is not known, the object is read again in the end.
  const looked = createLru<string, Looking>(knownUploads)
  const lookingAt = (id: string, offset: number): Looking | undefined => {
    const looking = offset === 0 ? newLooking() : looked.get(id)
    looked.delete(id)
    return looking?.size() === offset ? looking : undefined
  }

  const stage = async ({ workspaceId, length }: UploadRow, { at, save: put }: Turn, blob: string): Promise<Shelved> => {
    const place = { workspaceId, blob }
    if (at.saved === null) return shelf.stage(place, length)
    return shelf.resume(place, at.saved).catch(async (error) => {
      if (!isFailure(error, 'not_found')) throw error
      await put({ offset: 0, blob: null, saved: null })
      throw new Failure('conflict', 'What came is lost: begin again', { headers: { 'upload-offset': '0' } })
    })
  }

  /** Opens an upload where it left off. Whoever does must `close` it. @throws Failure `conflict`, `disk_full` */
  return async (row: UploadRow, turn: Turn) => {
    const blob = turn.at.blob ?? newBlobKey()
    const staged = await stage(row, turn, blob)
    let looking = lookingAt(row.id, turn.at.offset)
    let [offset, durable, savedAt, isSound] = [turn.at.offset, turn.at.offset, clock.monotonic(), true]
    let last: Promise<unknown> = Promise.resolve()
    const afterLast = <T>(run: () => Promise<T>): Promise<T> => {
      const result = last.then(run)
      last = result.catch(() => {})
      return result
    }

    let isKept = turn.at.saved !== null
    const put = async () => {
      if (offset === durable || !isSound) return
      turn.assertHeld()
      const saved = await staged.save()
      // Also where it is not known whether that was written.
      isKept = true
      await turn.save({ offset, blob, saved })
      durable = offset
      savedAt = clock.monotonic()
    }
    const isDue = () => {
      const ms = clock.monotonic() - savedAt
      return ms >= save.mostMs || (ms >= save.leastMs && offset - durable >= save.bytes)
    }
    const write = async (chunk: Uint8Array) => {
      turn.assertHeld()
      looking?.look(chunk)
      // How much of it was written is not known where that fails.
      isSound = false
      await staged.write(chunk)
      isSound = true
      offset += chunk.length
    }

    return {
      offset: () => offset,

      /**
       * What comes is kept however it ends, but where a checksum is to vouch for it: then all of it or nothing.
       * @throws Failure `checksum_mismatch`, and what `receive` throws
       */
      async take(body: Body, checksum: Checksum | null, signal: AbortSignal): Promise<void> {
        const verifier = checksum && verifierOf(checksum)
        if (!verifier) turn.onAsk(() => afterLast(put))
        const limits = { maxBytes: row.length - offset, floor }
        const one = (chunk: Uint8Array) =>
          afterLast(async () => {
            verifier?.update(chunk)
            await write(chunk)
            if (!verifier && isDue()) await put()
          })
        try {
          // Clients try again after a conflict, and find where to go on.
          await receive(body, one, limits, AbortSignal.any([signal, turn.signal]), 'conflict')
        } catch (error) {
          if (!verifier) await afterLast(put).catch(() => {})
          throw error
        }
        if (verifier && verifier.digest('base64') !== checksum.digest) throw new Failure('checksum_mismatch')
        await afterLast(put)
      },

      /** Makes all that came a file, and gives its id. */
      async finish(actor: Actor): Promise<string> {
        const facts = looking?.tell() ?? null
        looking = undefined
        const { projectId, name, declaredType, createdBy, length: size } = row
        const replaces = row.replaces === null ? null : { id: row.replaces, ifMatch: null }
        const settle = (mediaId: string) => [
          store.finish(row, turn.lease, mediaId, clock.now() + uploadMs),
          guard('locked'),
        ]
        const arrived = { projectId, name, declaredType, createdBy, blob, size, facts, replaces }
        return (await finalize(actor, staged, arrived, settle)).id
      },

      async close(): Promise<void> {
        if (looking?.size() === durable) looked.set(row.id, looking)
        // What no row knows of, nobody resumes. Where it cannot be discarded now, it is collected some day.
        await afterLast(() => (isKept ? staged.pause() : staged.discard().catch(() => {})))
      },
    }
  }
}
export type Parts = ReturnType<typeof createParts>
