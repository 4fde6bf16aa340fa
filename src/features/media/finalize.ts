// The one end of every way in: an object becomes a file, or the next version of one.
import { Failure } from '../../errors'
import { namesTag } from '../../lib/conditional'
import { type FileFacts, newLooking } from '../../lib/file-facts'
import { newId } from '../../lib/id'
import { noHold } from '../../lib/stream'
import type { Actor } from '../../permissions'
import type { Clock, Statement } from '../../ports'
import { type Revocations, revoke } from '../../revocation'
import { guard, type Write } from '../../write'
import type { Media } from './model'
import { present } from './present'
import type { Shelved } from './shelf'
import type { MediaRow, MediaStore } from './store'
import type { VersionStore } from './store-versions'

/** What came in, all of it. `facts`: what was found while it came; null where nobody saw it whole. */
export type Arrived = Pick<MediaRow, 'projectId' | 'name' | 'declaredType' | 'createdBy' | 'blob' | 'size'> & {
  facts: FileFacts | null
  /** The file whose next version it is; null for a file of its own. */
  replaces: Replaced | null
}
/** A file to be replaced, if it still is what `ifMatch` names (RFC 9110 §13.1.1). */
export type Replaced = { id: string; ifMatch: string | null }
type Settle = (mediaId: string) => Statement[]
export type Finalize = (actor: Actor, staged: Shelved, arrived: Arrived, settle: Settle) => Promise<Media>

// Of many who replace a file at once, each makes a version: whoever was overtaken looks again.
const mostTries = 20
const overtaken = new Failure('conflict', 'The file is being replaced')

/** @throws Failure `precondition_failed` */
export const assertMatch = ({ sha256 }: Pick<MediaRow, 'sha256'>, ifMatch: string | null): void => {
  if (ifMatch !== null && !namesTag(ifMatch, `"${sha256}"`, 'strong')) throw new Failure('precondition_failed')
}

type Deps = {
  write: Write
  clock: Clock
  store: MediaStore
  versions: VersionStore
  revocations: Pick<Revocations, 'asking'>
}

/**
 * Builds `finalize(actor, staged, arrived, settle)`: publishes the object, and in one batch writes its row, what `settle`
 * says of the way it came, and the audit row. It may be done again after a crash in between. Where it throws, the object
 * may be there: nobody can reach it, and the sweeper knows. @throws Failure `not_found`, `precondition_failed` where a file
 * to be replaced is gone, or another by now.
 */
export const createFinalize = ({ write, clock, store, versions, revocations }: Deps) => {
  /** Reads an object again from its beginning. */
  const look = async (staged: Shelved, size: number): Promise<FileFacts> => {
    const looking = newLooking()
    const body = new Response(await staged.open(size, { start: 0, end: size }, noHold)).body
    for await (const chunk of body ?? []) looking.look(chunk)
    if (looking.size() !== size) throw new Error('an object is not as long as what came in')
    return looking.tell()
  }

  type Found = Omit<Arrived, 'facts' | 'replaces'> & Pick<FileFacts, 'sha256' | 'type'>

  const add = async (actor: Actor, staged: Shelved, found: Found, settle: Settle): Promise<MediaRow> => {
    const [now, place] = [clock.now(), { workspaceId: actor.workspace.id, id: newId('med'), version: 1 }]
    const file = { ...found, ...place, createdAt: now, changedBy: found.createdBy, changedAt: now, deletedAt: null }
    const row: MediaRow = { ...file, key: staged.keyFor(file) }
    await write(actor, { action: 'media.ready', targets: [row.id] }, [...settle(row.id), store.insert(row)])
    return row
  }

  const replace = async (
    actor: Actor,
    staged: Shelved,
    found: Found,
    by: Replaced,
    settle: Settle,
    tries = 0,
  ): Promise<MediaRow> => {
    const before = await revocations.asking(() => store.byId(actor.workspace.id, by.id))
    if (before?.projectId !== found.projectId) throw new Failure('not_found')
    assertMatch(before, by.ifMatch)
    const { size, blob, sha256, type, declaredType, createdBy: changedBy } = found
    const version = before.version + 1
    const next = { ...before, version, size, blob, sha256, type, declaredType, changedBy, changedAt: clock.now() }
    const row: MediaRow = { ...next, key: staged.keyFor(next) }
    try {
      await write(actor, { action: 'media.replaced', targets: [row.id], change: { version } }, [
        { ...versions.keep(before), orElse: overtaken },
        versions.replace(row, before.version),
        { ...guard('conflict'), orElse: overtaken },
        ...settle(row.id),
        revoke(row.changedAt, `media:${row.id}`),
      ])
      return row
    } catch (error) {
      if (error !== overtaken || tries === mostTries) throw error
      return replace(actor, staged, found, by, settle, tries + 1)
    }
  }

  const finalize: Finalize = async (actor, staged, { facts, replaces, ...arrived }, settle) => {
    await staged.publish()
    const { sha256, type } = facts ?? (await look(staged, arrived.size))
    const found = { ...arrived, sha256, type }
    return present(
      await (replaces ? replace(actor, staged, found, replaces, settle) : add(actor, staged, found, settle)),
    )
  }
  return finalize
}
