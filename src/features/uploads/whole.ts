// A file that comes in one request, of known length or not: it is there whole, or nothing of it is.
import { Failure } from '../../errors'
import { newBlobKey } from '../../lib/blob-key'
import { newLooking } from '../../lib/file-facts'
import type { Traffic } from '../../limits/traffic'
import type { Actor, Judge } from '../../permissions'
import type { Finalize, Replaced } from '../media/finalize'
import type { Media } from '../media/model'
import type { MediaService } from '../media/service'
import type { Shelf, Shelved } from '../media/shelf'
import type { RawHeaders } from './model'
import { type Limits, receive, tooLarge } from './receive'
import type { SendRight } from './right'
import type { Rooms } from './room'

type Deps = {
  shelf: Shelf
  finalize: Finalize
  replaceable: MediaService['replaceable']
  limits: Limits
  rights: SendRight
  rooms: Rooms
  traffic: Pick<Traffic, 'incoming'>
}
type Body = ReadableStream<Uint8Array> | null

export const createWholeUploads = ({ shelf, finalize, replaceable, limits, rights, rooms, traffic }: Deps) => {
  const come = async (
    staged: Shelved,
    sent: RawHeaders,
    body: Body,
    grow: (n: number) => Promise<void>,
    signal: AbortSignal,
  ) => {
    const looking = newLooking()
    const take = async (chunk: Uint8Array) => {
      if (sent.bytes === null) await grow(chunk.length)
      looking.look(chunk)
      await staged.write(chunk)
    }
    const size = await receive(body, take, limits, signal)
    if (sent.bytes !== null && size !== sent.bytes)
      throw new Failure('malformed', 'The body is not as long as was said')
    const facts = looking.tell()
    if (sent.sha256.some((expected) => expected !== facts.sha256)) throw new Failure('checksum_mismatch')
    return facts
  }

  const placeOf = async (actor: Actor, { name }: RawHeaders, replaces: Replaced | null) => {
    if (replaces) return replaceable(actor, replaces)
    if (!actor.project) throw new Failure('forbidden', 'There is no project to store this in')
    return { projectId: actor.project.id, name }
  }

  const takeIn = async (
    actor: Actor,
    judge: Judge,
    sent: RawHeaders,
    body: Body,
    replaces: Replaced | null,
  ): Promise<Media> => {
    if (sent.encoding !== 'identity') throw new Failure('unsupported_type', 'Send the file itself, without coding')
    if (sent.bytes !== null && sent.bytes > limits.maxBytes) throw tooLarge(limits.maxBytes)
    const { projectId, name } = await placeOf(actor, sent, replaces)
    const file = { projectId, name, declaredType: sent.declaredType }
    const right = await rights(actor, judge, projectId, replaces ? 'media:replace' : 'media:create')
    const [blob, room] = [newBlobKey(), rooms(actor, file)]
    let staged: Shelved | undefined
    try {
      await room.grow(sent.bytes ?? 0)
      staged = await shelf.stage({ workspaceId: actor.workspace.id, blob }, sent.bytes)
      const facts = await come(staged, sent, body, room.grow, right.signal)
      right.signal.throwIfAborted()
      const arrived = { ...file, createdBy: actor.id, blob, size: facts.size, facts, replaces }
      return await finalize(actor, staged, arrived, () => room.settle(facts.size))
    } catch (error) {
      await room.release()
      // Where it is not known whether its row was written, the object stays.
      if (error instanceof Failure && error.code !== 'unavailable') await shelf.remove(blob)
      throw error
    } finally {
      right.release()
      await staged?.discard()
    }
  }

  /**
   * Takes a body in as a new file of the actor's project, or as the next version of one. Nothing of it can be read, and
   * nothing is left, unless all of it came, as announced, while the right to send it lasted.
   * @throws Failure `too_large`, `malformed`, `checksum_mismatch`, `unsupported_type`, `disk_full`, `forbidden`,
   * `quota_exceeded`, `rate_limited`; of a file to replace `not_found`, `precondition_failed`.
   */
  return (actor: Actor, judge: Judge, sent: RawHeaders, body: Body, replaces: Replaced | null = null): Promise<Media> =>
    traffic.incoming(actor, () => takeIn(actor, judge, sent, body, replaces))
}
export type WholeUploads = ReturnType<typeof createWholeUploads>
