// The only SQL about uploads under way.
import { and, eq, inArray, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import { apiKeys, members, uploads } from '../../../db/schema'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, inserter, statement } from '../../write'

export type UploadRow = typeof uploads.$inferSelect
/** An upload, wherever it is; and where it may be seen. */
type Key = Pick<UploadRow, 'workspaceId' | 'id'>
type Place = { workspaceId: WorkspaceId; projects: readonly string[]; id: string }

/** What moves together: how many bytes are durable, and what their store goes on from. */
export type Durable = Pick<UploadRow, 'offset' | 'blob' | 'saved'>

const isOne = ({ workspaceId, id }: Key) => and(eq(uploads.workspaceId, workspaceId), eq(uploads.id, id))
const isMine = (key: Key, lease: string) => and(isOne(key), eq(uploads.lease, lease), isNull(uploads.mediaId))
const isOpen = isNull(uploads.mediaId)
// The primary's clock, whichever node asks: those of nodes may be minutes apart, and two would write at once.
const now = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
const isFree = lte(uploads.leaseUntil, now)
/** When a lease ends that is given or kept now. */
export const leaseEnd = (ms: number): SQL<number> => sql`${now} + ${ms}`
type LeaseEnd = number | SQL<number>
/** Neither a key that was not revoked nor a member made it. */
const isForsaken = sql`not exists (select 1 from ${apiKeys} where ${and(
  ...[eq(apiKeys.workspaceId, uploads.workspaceId), eq(apiKeys.id, uploads.createdBy), isNull(apiKeys.revokedAt)],
)}) and not exists (select 1 from ${members} where ${and(
  ...[eq(members.workspaceId, uploads.workspaceId), eq(members.userId, uploads.createdBy)],
)})`
// Each maker is looked at once, however many uploads they began.
const forsakenMakers = sql`(select ${uploads.workspaceId}, ${uploads.createdBy} from ${uploads} where ${isOpen} group by 1, 2 having ${isForsaken})`

export const uploadStore = (db: Database) => {
  const find = db.orm
    .select()
    .from(uploads)
    .where(
      and(
        eq(uploads.workspaceId, sql.placeholder('workspaceId')),
        eq(uploads.id, sql.placeholder('id')),
        inArray(uploads.projectId, sql`(select value from json_each(${sql.placeholder('projects')}))`),
      ),
    )
    .prepare()
  const over = db.acrossTenants('uploads of all workspaces end in time', (orm) => {
    const among = (condition?: SQL) =>
      orm
        .select()
        .from(uploads)
        .where(and(condition, lte(uploads.leaseUntil, sql.placeholder('now'))))
        .limit(sql.placeholder('limit'))
        .prepare()
    return {
      expired: among(lte(uploads.expiresAt, sql.placeholder('now'))),
      forsaken: among(and(isOpen, sql`(${uploads.workspaceId}, ${uploads.createdBy}) in ${forsakenMakers}`)),
    }
  })
  const update = (set: Parameters<ReturnType<typeof builder.update<typeof uploads>>['set']>[0], where?: SQL) =>
    statement(builder.update(uploads).set(set).where(where))

  return {
    find: ({ workspaceId, projects, id }: Place) => find.get({ workspaceId, id, projects: JSON.stringify(projects) }),
    /** Uploads whose time is over, and which nobody is writing to; at most `limit`. */
    expired: (now: number, limit: number) => over.expired.all({ now, limit }),
    /** As `expired`, those that are no file yet and whose maker's key was revoked, or who is no member any more. */
    forsaken: (now: number, limit: number) => over.forsaken.all({ now, limit }),
    insert: inserter(uploads),

    /** Takes the lease, unless somebody has it. Its row says where the upload stands. */
    claim: (key: Key, lease: string, leaseUntil: LeaseEnd) =>
      statement(
        builder
          .update(uploads)
          .set({ lease, leaseUntil })
          .where(and(isOne(key), isFree))
          .returning({ offset: uploads.offset, blob: uploads.blob, saved: uploads.saved, media_id: uploads.mediaId }),
      ),
    keep: (key: Key, lease: string, leaseUntil: LeaseEnd) => update({ leaseUntil }, isMine(key, lease)),
    save: (key: Key, lease: string, durable: Durable, leaseUntil: LeaseEnd, expiresAt: number) =>
      update({ ...durable, leaseUntil, expiresAt }, isMine(key, lease)),
    release: (key: Key, lease: string) => update({ lease: null, leaseUntil: 0 }, isMine(key, lease)),
    /** Says which file it became; nobody writes to it any more. */
    finish: (key: Key, lease: string, mediaId: string, expiresAt: number) =>
      update({ mediaId, saved: null, lease: null, leaseUntil: 0, expiresAt }, isMine(key, lease)),

    /** Announces more. */
    grow: (key: Key, bytes: number) => update({ length: sql`${uploads.length} + ${bytes}` }, isOne(key)),
    delete: (key: Key) => statement(builder.delete(uploads).where(isOne(key))),
    deleteMine: (key: Key, lease: string) => statement(builder.delete(uploads).where(isMine(key, lease))),
    /** Changes no row where it is neither expired nor forsaken, or somebody writes to it. */
    deleteOver: (key: Key, at: number) => {
      const isOver = or(lte(uploads.expiresAt, at), and(isOpen, isForsaken))
      return statement(builder.delete(uploads).where(and(isOne(key), isOver, isFree)))
    },
  }
}
export type UploadStore = ReturnType<typeof uploadStore>
