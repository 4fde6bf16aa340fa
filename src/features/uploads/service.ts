// Uploads that go on where they left off: made, resumed, looked at and ended, by whoever began them or an admin.
import { Failure } from '../../errors'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import type { Traffic } from '../../limits/traffic'
import type { Actor, Judge } from '../../permissions'
import type { Clock } from '../../ports'
import type { Revocations } from '../../revocation'
import { guard, type Write } from '../../write'
import type { MediaService } from '../media/service'
import type { Shelf } from '../media/shelf'
import type { QuotaService } from '../quotas/service'
import type { AppendHeaders, CreateHeaders, Upload } from './model'
import type { Parts } from './part'
import { tooLarge } from './receive'
import type { SendRight } from './right'
import type { UploadRow, UploadStore } from './store'
import { type Turns, uploadMs } from './turns'

type Deps = {
  write: Write
  clock: Clock
  revocations: Revocations
  quotas: Pick<QuotaService, 'take' | 'give'>
  store: UploadStore
  turns: Turns
  parts: Parts
  rights: SendRight
  replaceable: MediaService['replaceable']
  shelf: Pick<Shelf, 'forget'>
  maxBytes: number
  traffic: Pick<Traffic, 'incoming'>
}
type Body = ReadableStream<Uint8Array> | null
/** Where an upload stands. */
export type Standing = Pick<UploadRow, 'id' | 'offset' | 'length' | 'expiresAt' | 'mediaId'>

const isAdmin = ({ role, level }: Actor) => role === 'admin' || level === 'admin'
const elsewhere = (offset: number) =>
  new Failure('conflict', 'The upload is at another offset', { headers: { 'upload-offset': String(offset) } })

export const presentUpload = (row: UploadRow): Upload => ({
  id: row.id,
  project_id: row.projectId,
  name: row.name,
  length: row.length,
  offset: row.offset,
  created_at: rfc3339(row.createdAt),
  expires_at: rfc3339(row.expiresAt),
  media_id: row.mediaId,
})

export const uploadService = (deps: Deps) => {
  const { write, clock, revocations, quotas, store, turns, parts, rights, replaceable, shelf, maxBytes, traffic } = deps

  const find = async (actor: Actor, id: string): Promise<UploadRow> => {
    const { workspace, projects } = actor
    const row = await revocations.asking(() => store.find({ workspaceId: workspace.id, projects, id }))
    const isTheirs = row && row.metadata !== null && (row.createdBy === actor.id || isAdmin(actor))
    if (!isTheirs || row.expiresAt <= clock.now()) throw new Failure('not_found')
    return row
  }

  const goOn = (actor: Actor, judge: Judge, row: UploadRow, sent: AppendHeaders, body: Body): Promise<Standing> =>
    turns.take(row, async (turn) => {
      const { offset, mediaId } = turn.at
      if (sent.offset !== offset) throw elsewhere(offset)
      if (sent.bytes !== null && sent.bytes > row.length - offset) throw tooLarge(row.length - offset)
      if (mediaId !== null) return { ...row, offset, mediaId }
      const right = await rights(actor, judge, row.projectId, row.replaces ? 'media:replace' : 'media:create')
      const part = await parts(row, turn).catch((error) => {
        right.release()
        throw error
      })
      try {
        if (body) await part.take(body, sent.checksum, right.signal)
        right.signal.throwIfAborted()
        const [at, expiresAt] = [part.offset(), clock.now() + uploadMs]
        if (at === row.length) return { ...row, offset: at, mediaId: await part.finish(actor), expiresAt }
        return { ...row, offset: at, ...(at > offset && { expiresAt }) }
      } finally {
        right.release()
        await part.close()
      }
    })

  return {
    /**
     * Begins an upload to the actor's project, or of a file's next version, its length taken from the quota.
     * @throws Failure `too_large`, `quota_exceeded`, `forbidden`; `not_found` for no file to replace
     */
    async create(actor: Actor, sent: CreateHeaders): Promise<Standing> {
      if (sent.length > maxBytes) throw tooLarge(maxBytes)
      const { length, metadata, name, declaredType, replaces } = sent
      const project =
        replaces === null ? actor.project?.id : (await replaceable(actor, { id: replaces, ifMatch: null })).projectId
      if (project === undefined) throw new Failure('forbidden', 'There is no project to store this in')
      const now = clock.now()
      const row: UploadRow = {
        ...{ workspaceId: actor.workspace.id, id: newId('upl'), projectId: project },
        ...{ name, declaredType, metadata, length, offset: 0, blob: null, saved: null, lease: null, leaseUntil: 0 },
        ...{ createdBy: actor.id, createdAt: now, expiresAt: now + uploadMs, replaces, mediaId: null },
      }
      await write(actor, { action: 'upload.created', targets: [row.id] }, [
        ...quotas.take(row.workspaceId, 'storage_bytes', length),
        store.insert(row),
      ])
      return row
    },

    /** As it stands, for whoever sent the request that made it once more. @throws Failure `not_found` */
    made: (actor: Actor, id: string): Promise<Standing> => find(actor, id),

    /**
     * Takes what comes, from where the upload stands; when that was the last of it, there is the file.
     * @throws Failure `not_found`; `conflict` for another offset, or what came too slowly; `locked` while another node
     * writes; `checksum_mismatch`, `too_large`, `disk_full`, `malformed`, `forbidden`; `rate_limited` where too
     * many are under way.
     */
    append: async (actor: Actor, judge: Judge, id: string, sent: AppendHeaders, body: Body): Promise<Standing> =>
      traffic.incoming(actor, async () => goOn(actor, judge, await find(actor, id), sent, body)),

    /** Where it stands, durably. What came whole becomes a file first. @throws Failure `not_found`, `locked` */
    async show(actor: Actor, judge: Judge, id: string): Promise<UploadRow> {
      const found = await find(actor, id)
      const row = (await turns.settle(id)) ? await find(actor, id) : found
      if (row.offset < row.length || row.mediaId !== null) return row
      const rest = { offset: row.length, isChunk: true, bytes: 0, checksum: null }
      return { ...row, ...(await goOn(actor, judge, row, rest, null)) }
    },

    /** Ends it; a file that it became stays. @throws Failure `not_found`, `locked` */
    async remove(actor: Actor, id: string): Promise<void> {
      const row = await find(actor, id)
      await turns.take(row, async ({ lease, at }) => {
        const isFile = at.mediaId !== null
        await write(actor, { action: 'upload.deleted', targets: [id] }, [
          isFile ? store.delete(row) : store.deleteMine(row, lease),
          guard('not_found'),
          ...(isFile ? [] : [quotas.give(row.workspaceId, 'storage_bytes', row.length)]),
        ])
        if (!isFile) await shelf.forget(at)
      })
    },
  }
}
export type UploadService = ReturnType<typeof uploadService>
