// The only SQL about what files were before: former versions, and what all versions of a file take.
import { and, desc, eq, inArray, isNull, lt, type SQL, sql } from 'drizzle-orm'
import { media, mediaVersions as versions } from '../../../db/schema'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, inserter, statement } from '../../write'
import type { MediaRow, Place } from './store'

export type VersionRow = typeof versions.$inferSelect

/** What changes with a version. */
const bytesOf = ({ version, size, declaredType, type, sha256, blob, key, changedBy, changedAt }: MediaRow) => ({
  ...{ version, size, declaredType, type, sha256, blob, key, changedBy, changedAt },
})

export const versionStore = (db: Database) => {
  const ofFile = and(eq(versions.workspaceId, sql.placeholder('workspaceId')), eq(versions.id, sql.placeholder('id')))
  const find = db.orm
    .select()
    .from(versions)
    .where(and(ofFile, eq(versions.version, sql.placeholder('version'))))
    .prepare()
  const list = db.orm
    .select()
    .from(versions)
    .where(and(ofFile, lt(versions.version, sql.placeholder('before'))))
    .orderBy(desc(versions.version))
    .limit(sql.placeholder('limit'))
    .prepare()
  const blobs = db.orm.select({ blob: versions.blob }).from(versions).where(ofFile).prepare()
  const known = db.acrossTenants('objects of former versions have a row', (orm) =>
    orm
      .select({ blob: versions.blob })
      .from(versions)
      .where(inArray(versions.blob, sql`(select value from json_each(${sql.placeholder('blobs')}))`))
      .prepare(),
  )
  const insert = inserter(versions)

  return {
    find: ({ workspaceId, id }: MediaRow, version: number) => find.get({ workspaceId, id, version }),
    /** Former versions before one, the newest first. */
    list: ({ workspaceId, id }: MediaRow, before: number, limit: number) =>
      list.all({ workspaceId, id, before, limit }),
    /** Keeps what a file is now as a former version. */
    keep: (row: MediaRow) =>
      insert({ workspaceId: row.workspaceId, id: row.id, projectId: row.projectId, ...bytesOf(row) }),
    /** Makes a file what `row` says, where it is at version `before` and not deleted; else changes no row. */
    replace: (row: MediaRow, before: number) =>
      statement(
        builder
          .update(media)
          .set(bytesOf(row))
          .where(
            and(
              ...[eq(media.workspaceId, row.workspaceId), eq(media.id, row.id), eq(media.version, before)],
              isNull(media.deletedAt),
            ),
          ),
      ),
    /** What a file takes with all its versions, where it is there; else nothing. */
    sizeOf: ({ workspaceId, projects, id }: Place): SQL => {
      const file = sql`select 1 from ${media} where ${and(
        ...[eq(media.workspaceId, workspaceId), eq(media.id, id), inArray(media.projectId, [...projects])],
        isNull(media.deletedAt),
      )}`
      const present = sql`select ${media.size} as bytes from ${media} where ${and(eq(media.workspaceId, workspaceId), eq(media.id, id))}`
      const former = sql`select ${versions.size} from ${versions} where ${and(eq(versions.workspaceId, workspaceId), eq(versions.id, id))}`
      return sql`(select coalesce(sum(bytes), 0) from (${present} union all ${former}) where exists (${file}))`
    },
    blobsOf: async (workspaceId: WorkspaceId, id: string) =>
      (await blobs.all({ workspaceId, id })).map(({ blob }) => blob),
    /** Forgets all former versions of a file. */
    purge: (workspaceId: WorkspaceId, id: string) =>
      statement(builder.delete(versions).where(and(eq(versions.workspaceId, workspaceId), eq(versions.id, id)))),
    /** Which of these objects are of a former version. */
    knownBlobs: async (blobs: readonly string[]) =>
      (await known.all({ blobs: JSON.stringify(blobs) })).map(({ blob }) => blob),
  }
}
export type VersionStore = ReturnType<typeof versionStore>
