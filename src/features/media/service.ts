// Media: making files of what came in, describing them, giving their bytes to those who may see them now, letting them go.
import { Failure } from '../../errors'
import { isId } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { ticketBytes } from '../../lib/range'
import type { Traffic } from '../../limits/traffic'
import { type Actor, type Judge, mayIn } from '../../permissions'
import type { BlobBody, ByteRange, Clock, Database, Hold, Pour } from '../../ports'
import { createHeldCache, type Held, type Revocations, revoke, type Subject, subjectsOf } from '../../revocation'
import { guard, type Write } from '../../write'
import type { QuotaService } from '../quotas/service'
import { assertMatch, createFinalize, type Replaced } from './finalize'
import type { Media, MediaVersion, RenameMedia } from './model'
import { inPieces } from './pieces'
import { present, presentVersion } from './present'
import type { Reads } from './reads'
import type { Shelf } from './shelf'
import { type MediaRow, mediaStore } from './store'
import { versionStore } from './store-versions'

type Deps = {
  db: Database
  write: Write
  pour: Pour
  shelf: Pick<Shelf, 'open'>
  clock: Clock
  revocations: Revocations
  quotas: Pick<QuotaService, 'give'>
  traffic: Pick<Traffic, 'outgoing'>
  reads: Pick<Reads, 'note'>
}

type File = { workspace: string; row: MediaRow }
/**
 * What of a file is asked for: the version that a link names, else the one named, else the present one. `known`: as whom
 * the request was let in, which spares asking again where nothing is waited for and the file is in that workspace.
 */
type Asked = {
  link?: { id: string; version: number; expiresAt: number } | undefined
  version?: number | undefined
  known?: Actor | null
}
// A stream asks anew as it begins: `known` is of a moment ago.
const atOnce = -1
/** A file that whoever asks may see. A stream that `read` gives ends with that right. */
export type OpenMedia = { row: MediaRow; read(range: ByteRange): Promise<BlobBody> }

const cachedFiles = 10_000

const placeOf = (actor: Actor, id: string) => ({ workspaceId: actor.workspace.id, projects: actor.projects, id })

export const mediaService = ({ db, write, shelf, clock, revocations, quotas, ...deps }: Deps) => {
  const [store, versions] = [mediaStore(db), versionStore(db)]
  const files = createHeldCache<File>(revocations, clock, cachedFiles)

  /** A file as it stands, or stood, wherever it is; who may see it is judged by whoever asks for it. */
  const load = async (id: string, version?: number): Promise<Held<File> | null> => {
    const place = await store.locate(id)
    const now = place && (await store.byId(place.workspaceId, id))
    const isPresent = version === undefined || version === now?.version
    const former = now && !isPresent ? await versions.find(now, version) : undefined
    const row = isPresent ? now : now && former && { ...now, ...former }
    const subjects = [`media:${id}`] as const
    return place && row
      ? { value: { workspace: place.workspace, row }, subjects, expiresAt: Number.POSITIVE_INFINITY }
      : null
  }

  /** The file, and whoever asks for it, if they may see it now. */
  const find = async (id: string, judge: Judge, version?: number, known?: Actor | null) => {
    const key = version === undefined ? id : `${id} ${version}`
    const warm = isId('med', id) ? files.get(key) : null
    const file = warm === undefined ? await files.fill(key, () => load(id, version)) : warm
    const isKnown = warm && known?.workspace.publicId === warm.workspace
    const actor = isKnown ? known : file && (await judge(file.workspace))
    return file && mayIn(actor, 'media:read', file.row.projectId) ? { row: file.row, actor } : null
  }

  const rowOf = async (actor: Actor, id: string): Promise<MediaRow> => {
    const row = await store.find(placeOf(actor, id))
    if (!row) throw new Failure('not_found')
    return row
  }
  const get = async (actor: Actor, id: string): Promise<Media> => present(await rowOf(actor, id))

  /** The files of a project that the actor may enter, newest first. @throws Failure `not_found` */
  const listIn = async (actor: Actor, project: string, query: PageQuery): Promise<Page<Media>> => {
    if (!actor.projects.includes(project)) throw new Failure('not_found')
    const rows = (limit: number, after: After | null) => store.list(actor.workspace.id, project, after, limit)
    const page = await paginate(query, rows, (row) => ({ at: row.createdAt, id: row.id }))
    return { ...page, data: page.data.map(present) }
  }

  return {
    finalize: createFinalize({ write, clock, store, versions, revocations }),
    get,

    /** What a link to a file the actor sees is about. @throws Failure `not_found` */
    versionOf: (actor: Actor, id: string): Promise<{ projectId: string; version: number }> => rowOf(actor, id),

    /** A file whose bytes the actor may replace. @throws Failure `not_found`, `forbidden`, `precondition_failed` */
    async replaceable(actor: Actor, { id, ifMatch }: Replaced): Promise<Pick<MediaRow, 'projectId' | 'name'>> {
      const row = await rowOf(actor, id)
      if (!mayIn(actor, 'media:replace', row.projectId)) throw new Failure('forbidden')
      assertMatch(row, ifMatch)
      return row
    },

    /** A file's versions, the newest first. @throws Failure `not_found` */
    async listVersions(actor: Actor, id: string, query: PageQuery): Promise<Page<MediaVersion>> {
      const row = await rowOf(actor, id)
      const read = async (limit: number, after: After | null) =>
        after ? versions.list(row, after.at, limit) : [row, ...(await versions.list(row, row.version, limit - 1))]
      const page = await paginate(query, read, ({ version }) => ({ at: version, id }))
      return { ...page, data: page.data.map(presentVersion) }
    },

    /**
     * @throws Failure `not_found` where there is no such file, or none that whoever asks
     * may see: nobody can tell which. `read` throws `rate_limited` where too many are under way, or too much was sent.
     */
    async open(id: string, judge: Judge, { known, link, version = link?.version }: Asked = {}): Promise<OpenMedia> {
      const found = await find(id, judge, version, known)
      if (!found || (link && link.version !== found.row.version)) throw new Failure('not_found')
      const { row, actor } = found
      const hold = () => {
        const subjects: Subject[] = [...subjectsOf(actor), `media:${id}`, ...(link ? [`link:${link.id}` as const] : [])]
        return revocations.hold(subjects, atOnce, async () => (await find(id, judge, version)) !== null)
      }
      const readOnce = async (range: ByteRange) => {
        const place = deps.traffic.outgoing(actor, { link, bytes: range.end - range.start })
        const right = () => place.begin(hold())
        let body: BlobBody | undefined
        try {
          body = await shelf.open(row, range, right)
          if (link && !(body instanceof ReadableStream) && range.end - range.start > ticketBytes)
            body = inPieces(deps.pour, body instanceof Blob ? body : new Blob([body]), right)
        } finally {
          if (!(body instanceof ReadableStream)) place.end()
        }
        deps.reads.note(actor, { id, version: row.version, link: link?.id })
        return body
      }
      return { row, read: readOnce }
    },

    /** The files of the actor's project, newest first. */
    list: async (actor: Actor, query: PageQuery): Promise<Page<Media>> =>
      actor.project ? listIn(actor, actor.project.id, query) : { data: [], next_cursor: null },
    listIn,

    /**
     * The bytes of one version, for whoever holds a right of their own to them: `open` is the way of requests.
     * @throws Failure `not_found`; `internal` where they are lost.
     */
    async openVersion(actor: Actor, id: string, version: number, hold: () => Hold): Promise<BlobBody> {
      const row = await rowOf(actor, id)
      const former = version === row.version ? row : await versions.find(row, version)
      if (!former) throw new Failure('not_found')
      return shelf.open(former, { start: 0, end: former.size }, hold)
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
      const place = placeOf(actor, id)
      await write(actor, { action: 'media.deleted', targets: [id] }, [
        // Before it is gone, so that its size is what it is now.
        quotas.give(actor.workspace.id, 'storage_bytes', versions.sizeOf(place)),
        store.delete(place, clock.now()),
        guard('not_found'),
        revoke(clock.now(), `media:${id}`),
      ])
    },
  }
}
export type MediaService = ReturnType<typeof mediaService>
