// Media: taking files in, describing them, giving their bytes to those who may see them now, letting them go.
import { Failure } from '../../errors'
import { isId, newId, randomBase62 } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import { type Actor, heldIn, type Permission } from '../../permissions'
import type { BlobBody, Blobs, ByteRange, Clock, Database, Hold, Log, StagedBlob } from '../../ports'
import { type Revocations, subjectsOf } from '../../revocation'
import { guard, type Write } from '../../write'
import type { QuotaService } from '../quotas/service'
import type { Media, RenameMedia, UploadHeaders } from './model'
import { type Limits, receive } from './receive'
import { type MediaRow, mediaStore } from './store'

type Deps = {
  db: Database
  write: Write
  blobs: Blobs
  clock: Clock
  log: Log
  revocations: Pick<Revocations, 'position' | 'hold'>
  limits: Limits
  quotas: Pick<QuotaService, 'take' | 'give' | 'assertRoom'>
}

/** As whom the request is made in the workspace of that public id, by its credential as it is now; null for nobody there. */
export type Judge = (workspace: string) => Promise<Actor | null>
/** A file that whoever asks may see. A stream that `read` gives ends with that right. */
export type OpenMedia = { row: MediaRow; read(range: ByteRange): Promise<BlobBody> }

const present = (row: MediaRow): Media => ({
  id: row.id,
  project_id: row.projectId,
  name: row.name,
  size: row.size,
  type: row.type,
  declared_type: row.declaredType,
  sha256: row.sha256,
  url: `/media/${row.id}`,
  created_by: row.createdBy,
  created_at: rfc3339(row.createdAt),
})

const placeOf = (actor: Actor, id: string) => ({ workspaceId: actor.workspace.id, projects: actor.projects, id })

export const mediaService = ({ db, write, blobs, clock, log, revocations, limits, quotas }: Deps) => {
  const store = mediaStore(db)

  /** Holds the actor's right to something in a project while it is under way. `born`: the position it was found at. */
  const hold = (actor: Actor, born: number, judge: Judge, need: Permission, projectId: string) =>
    revocations.hold(subjectsOf(actor), born, async () => {
      const now = await judge(actor.workspace.publicId)
      return now?.projects.includes(projectId) === true && heldIn(now, projectId).has(need)
    })

  const get = async (actor: Actor, id: string): Promise<Media> => {
    const row = await store.find(placeOf(actor, id))
    if (!row) throw new Failure('not_found')
    return present(row)
  }

  /** The one end of every way in. A crash before the row leaves an object that nobody can reach, for the sweeper. */
  const finalize = async (actor: Actor, staged: StagedBlob, row: MediaRow): Promise<Media> => {
    await staged.publish()
    await write(actor, { action: 'media.ready', targets: [row.id] }, [
      ...quotas.take(row.workspaceId, 'storage_bytes', row.size),
      store.insert(row),
    ])
    return present(row)
  }

  const read = async (row: MediaRow, range: ByteRange, right: () => Hold) => {
    try {
      return await blobs.open(row.blob, row.size, range, right)
    } catch (cause) {
      if (cause instanceof Failure && cause.code === 'not_found') {
        log.error({ media: row.id, blob: row.blob }, 'media without its object')
        throw new Failure('internal', undefined, { cause })
      }
      throw cause
    }
  }

  return {
    get,

    /**
     * Takes a body in as a new file of the actor's project. Nothing of it can be read, and nothing is left, unless all of
     * it came, as announced, while the right to send it lasted.
     * @throws Failure `too_large`, `malformed`, `checksum_mismatch`, `unsupported_type`, `disk_full`, `forbidden`,
     * `quota_exceeded`.
     */
    async upload(
      actor: Actor,
      judge: Judge,
      sent: UploadHeaders,
      body: ReadableStream<Uint8Array> | null,
    ): Promise<Media> {
      if (!actor.project) throw new Failure('forbidden', 'There is no project to store this in')
      if (sent.encoding !== 'identity') throw new Failure('unsupported_type', 'Send the file itself, without coding')
      if (sent.bytes !== null && sent.bytes > limits.maxBytes)
        throw new Failure('too_large', `At most ${limits.maxBytes} bytes`)
      await quotas.assertRoom(actor.workspace.id, 'storage_bytes', sent.bytes ?? 0)
      const right = hold(actor, revocations.position(), judge, 'media:create', actor.project.id)
      const blob = randomBase62(26)
      const staged = await blobs.stage(blob, sent.bytes)
      try {
        const { size, sha256, type } = await receive(body, sent.bytes, staged, limits, right.signal)
        if (sent.sha256.some((expected) => expected !== sha256)) throw new Failure('checksum_mismatch')
        right.signal.throwIfAborted()
        return await finalize(actor, staged, {
          ...{ workspaceId: actor.workspace.id, id: newId('med'), projectId: actor.project.id, name: sent.name },
          ...{ size, sha256, type, declaredType: sent.declaredType, blob },
          ...{ createdBy: actor.id, createdAt: clock.now(), deletedAt: null },
        })
      } finally {
        right.release()
        await staged.discard()
      }
    },

    /** @throws Failure `not_found` where there is no such file, or none that whoever asks may see: nobody can tell which. */
    async open(id: string, judge: Judge): Promise<OpenMedia> {
      const place = isId('med', id) ? await store.locate(id) : undefined
      const born = revocations.position()
      const actor = place ? await judge(place.workspace) : null
      const row = actor ? await store.find(placeOf(actor, id)) : undefined
      if (!actor || !row || !heldIn(actor, row.projectId).has('media:read')) throw new Failure('not_found')
      return {
        row,
        read: (range) => read(row, range, () => hold(actor, born, judge, 'media:read', row.projectId)),
      }
    },

    /** The files of the actor's project, newest first. */
    async list(actor: Actor, query: PageQuery): Promise<Page<Media>> {
      const project = actor.project?.id
      if (project === undefined) return { data: [], next_cursor: null }
      const rows = (limit: number, after: After | null) => store.list(actor.workspace.id, project, after, limit)
      const page = await paginate(query, rows, (row) => ({ at: row.createdAt, id: row.id }))
      return { ...page, data: page.data.map(present) }
    },

    /** @throws Failure `not_found` */
    async rename(actor: Actor, id: string, { name }: RenameMedia): Promise<Media> {
      await write(actor, { action: 'media.renamed', targets: [id] }, [
        store.rename(placeOf(actor, id), name),
        guard('not_found'),
      ])
      return get(actor, id)
    },

    /** Gone at once from every answer; its bytes are purged later. @throws Failure `not_found` */
    async remove(actor: Actor, id: string): Promise<void> {
      const { size } = await get(actor, id)
      await write(actor, { action: 'media.deleted', targets: [id] }, [
        store.delete(placeOf(actor, id), clock.now()),
        guard('not_found'),
        quotas.give(actor.workspace.id, 'storage_bytes', size),
      ])
    },
  }
}
export type MediaService = ReturnType<typeof mediaService>
