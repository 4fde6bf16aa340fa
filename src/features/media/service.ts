// Media: taking files in, describing them, giving their bytes to those who may see them now, letting them go.
import { Failure } from '../../errors'
import { isId, newId, randomBase62 } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import { type Actor, heldIn, type Permission } from '../../permissions'
import type { BlobBody, Blobs, ByteRange, Clock, Database, Hold, Log, StagedBlob } from '../../ports'
import { createHeldCache, type Held, type Revocations, revoke, type Subject, subjectsOf } from '../../revocation'
import { guard, type Write } from '../../write'
import type { QuotaService } from '../quotas/service'
import type { Media, RenameMedia, UploadHeaders } from './model'
import type { Reads } from './reads'
import { type Limits, receive } from './receive'
import { createRooms } from './room'
import { type MediaRow, mediaStore } from './store'
import type { Streams } from './streams'

type Deps = {
  db: Database
  write: Write
  blobs: Blobs
  clock: Clock
  log: Log
  revocations: Revocations
  limits: Limits
  quotas: Pick<QuotaService, 'take' | 'give' | 'assertRoom'>
  streams: Streams
  reads: Pick<Reads, 'note'>
}

/** As whom the request is made in the workspace of that public id, by its credential as it is now; null for nobody there. */
export type Judge = (workspace: string) => Promise<Actor | null>
type File = { workspace: string; row: MediaRow }
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

const cachedFiles = 10_000

const placeOf = (actor: Actor, id: string) => ({ workspaceId: actor.workspace.id, projects: actor.projects, id })

export const mediaService = ({ db, write, blobs, clock, log, revocations, limits, quotas, ...deps }: Deps) => {
  const store = mediaStore(db)
  const files = createHeldCache<File>(revocations, clock, cachedFiles)

  /** A file as it stands, wherever it is; who may see it is judged by whoever asks for it. */
  const load = async (id: string): Promise<Held<File> | null> => {
    const place = await store.locate(id)
    const row = place && (await store.byId(place.workspaceId, id))
    const subjects = [`media:${id}`] as const
    return row ? { value: { workspace: place.workspace, row }, subjects, expiresAt: Number.POSITIVE_INFINITY } : null
  }

  const rooms = createRooms(quotas)

  /** Whether a request may still do something in a project. */
  const may = (actor: Actor | null, need: Permission, projectId: string): actor is Actor =>
    actor?.projects.includes(projectId) === true && heldIn(actor, projectId).has(need)

  /** The file, and whoever asks for it, if they may see it now. */
  const find = async (id: string, judge: Judge) => {
    const file = isId('med', id) ? (files.get(id) ?? (await files.fill(id, () => load(id)))) : null
    const actor = file && (await judge(file.workspace))
    return file && may(actor, 'media:read', file.row.projectId) ? { row: file.row, actor } : null
  }

  const get = async (actor: Actor, id: string): Promise<Media> => {
    const row = await store.find(placeOf(actor, id))
    if (!row) throw new Failure('not_found')
    return present(row)
  }

  /**
   * The one end of every way in. After a crash, or where it is not known whether the row was written, the object stays:
   * nobody can reach it, and the sweeper knows.
   */
  const finalize = async (actor: Actor, staged: StagedBlob, row: MediaRow): Promise<Media> => {
    await staged.publish()
    try {
      await write(actor, { action: 'media.ready', targets: [row.id] }, [
        ...quotas.take(row.workspaceId, 'storage_bytes', row.size),
        store.insert(row),
      ])
    } catch (error) {
      if (error instanceof Failure && error.code !== 'unavailable') await blobs.remove(row.blob)
      throw error
    }
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

    /** What a link to a file the actor sees is about. @throws Failure `not_found` */
    async versionOf(actor: Actor, id: string): Promise<{ projectId: string; version: number }> {
      const row = await store.find(placeOf(actor, id))
      if (!row) throw new Failure('not_found')
      return row
    },

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
      const { id: projectId } = actor.project
      const since = revocations.version()
      const stands = async () => may(await judge(actor.workspace.publicId), 'media:create', projectId)
      if (!(await stands())) throw new Failure('forbidden')
      const [blob, room] = [randomBase62(26), rooms(actor.workspace.id)]
      const right = revocations.hold(subjectsOf(actor), since, stands)
      let staged: StagedBlob | undefined
      try {
        await room.announce(sent.bytes ?? 0)
        staged = await blobs.stage(blob, sent.bytes)
        const grow = sent.bytes === null ? room.grow : async () => {}
        const { size, sha256, type } = await receive(body, sent.bytes, staged, { ...limits, grow }, right.signal)
        if (sent.sha256.some((expected) => expected !== sha256)) throw new Failure('checksum_mismatch')
        right.signal.throwIfAborted()
        room.release()
        return await finalize(actor, staged, {
          ...{ workspaceId: actor.workspace.id, id: newId('med'), projectId, name: sent.name },
          ...{ size, sha256, type, declaredType: sent.declaredType, blob, version: 1 },
          ...{ createdBy: actor.id, createdAt: clock.now(), deletedAt: null, key: null },
        })
      } finally {
        right.release()
        room.release()
        await staged?.discard()
      }
    },

    /**
     * By a link, the version it names. @throws Failure `not_found` where there is no such file, or none that whoever asks
     * may see: nobody can tell which. `read` throws `rate_limited` where too many are under way.
     */
    async open(id: string, judge: Judge, link?: { id: string; version: number }): Promise<OpenMedia> {
      const since = revocations.version()
      const found = await find(id, judge)
      if (!found || (link && link.version !== found.row.version)) throw new Failure('not_found')
      const { row, actor } = found
      const subjects: Subject[] = [...subjectsOf(actor), `media:${id}`, ...(link ? [`link:${link.id}` as const] : [])]
      const hold = () => revocations.hold(subjects, since, async () => (await find(id, judge)) !== null)
      const readOnce = async (range: ByteRange) => {
        const slot = deps.streams(actor)
        let body: BlobBody | undefined
        try {
          body = await read(row, range, () => slot.begin(hold()))
        } finally {
          if (!(body instanceof ReadableStream)) slot.end()
        }
        deps.reads.note(actor, { id, version: row.version, link: link?.id })
        return body
      }
      return { row, read: readOnce }
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
        revoke(clock.now(), `media:${id}`),
      ])
      return get(actor, id)
    },

    /** Gone at once from every answer; its bytes are purged later. @throws Failure `not_found` */
    async remove(actor: Actor, id: string): Promise<void> {
      const { size } = await get(actor, id)
      await write(actor, { action: 'media.deleted', targets: [id] }, [
        store.delete(placeOf(actor, id), clock.now()),
        guard('not_found'),
        revoke(clock.now(), `media:${id}`),
        quotas.give(actor.workspace.id, 'storage_bytes', size),
      ])
    },
  }
}
export type MediaService = ReturnType<typeof mediaService>
