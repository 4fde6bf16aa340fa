// The one end of every way in: an object becomes a file.

import { type FileFacts, newLooking } from '../../lib/file-facts'
import { newId } from '../../lib/id'
import type { Actor } from '../../permissions'
import type { Clock, Hold, Statement } from '../../ports'
import type { Write } from '../../write'
import type { Media } from './model'
import { present } from './present'
import type { Shelved } from './shelf'
import type { MediaRow, MediaStore } from './store'

/** What came in, all of it. `facts`: what was found while it came; null where nobody saw it whole. */
export type Arrived = Pick<MediaRow, 'projectId' | 'name' | 'declaredType' | 'createdBy' | 'blob' | 'size'> & {
  facts: FileFacts | null
}
export type Finalize = (
  actor: Actor,
  staged: Shelved,
  arrived: Arrived,
  settle: (mediaId: string) => Statement[],
) => Promise<Media>

const noHold = (): Hold => ({ signal: new AbortController().signal, release: () => {} })

/**
 * Builds `finalize(actor, staged, arrived, settle)`: publishes the object, and in one batch writes its row, what `settle`
 * says of the way it came, and the audit row. It may be done again after a crash in between. Where it throws, the object
 * may be there: nobody can reach it, and the sweeper knows.
 */
export const createFinalize = ({ write, clock, store }: { write: Write; clock: Clock; store: MediaStore }) => {
  /** Reads an object again from its beginning. */
  const look = async (staged: Shelved, size: number): Promise<FileFacts> => {
    const looking = newLooking()
    const body = new Response(await staged.open(size, { start: 0, end: size }, noHold)).body
    for await (const chunk of body ?? []) looking.look(chunk)
    if (looking.size() !== size) throw new Error('an object is not as long as what came in')
    return looking.tell()
  }

  const finalize: Finalize = async (actor, staged, { facts, ...arrived }, settle) => {
    await staged.publish()
    const { sha256, type } = facts ?? (await look(staged, arrived.size))
    const file = { ...arrived, workspaceId: actor.workspace.id, id: newId('med'), version: 1 }
    const [createdAt, changedBy] = [clock.now(), arrived.createdBy]
    const found = { sha256, type, createdAt, changedBy, changedAt: createdAt, deletedAt: null }
    const row: MediaRow = { ...file, ...found, key: staged.keyFor(file) }
    await write(actor, { action: 'media.ready', targets: [row.id] }, [...settle(row.id), store.insert(row)])
    return present(row)
  }
  return finalize
}
