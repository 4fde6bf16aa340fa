// The only SQL about media.
import { and, desc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import { media, workspaces } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, inserter, statement } from '../../write'

export type MediaRow = typeof media.$inferSelect

/** One file, in one workspace, where it is in a project that may be entered and not deleted. */
export type Place = { workspaceId: WorkspaceId; projects: readonly string[]; id: string }

export const mediaStore = (db: Database) => {
  const here = eq(media.workspaceId, sql.placeholder('workspaceId'))
  const list = db.orm
    .select()
    .from(media)
    .where(
      and(
        here,
        eq(media.projectId, sql.placeholder('projectId')),
        isNull(media.deletedAt),
        isAfter(media.createdAt, media.id),
      ),
    )
    .orderBy(desc(media.createdAt), desc(media.id))
    .limit(sql.placeholder('limit'))
    .prepare()
  const find = db.orm
    .select()
    .from(media)
    .where(
      and(
        here,
        eq(media.id, sql.placeholder('id')),
        inArray(media.projectId, sql`(select value from json_each(${sql.placeholder('projects')}))`),
        isNull(media.deletedAt),
      ),
    )
    .prepare()
  const byId = db.orm
    .select()
    .from(media)
    .where(and(here, eq(media.id, sql.placeholder('id')), isNull(media.deletedAt)))
    .prepare()
  const locate = db.acrossTenants('a media id says which workspace it is in', (orm) =>
    orm
      .select({ workspaceId: media.workspaceId, workspace: workspaces.id })
      .from(media)
      .innerJoin(workspaces, eq(workspaces.workspaceId, media.workspaceId))
      .where(eq(media.id, sql.placeholder('id')))
      .prepare(),
  )
  const purgeable = db.acrossTenants('deleted media of all workspaces is purged in time', (orm) =>
    orm
      .select({ workspaceId: media.workspaceId, id: media.id, blob: media.blob })
      .from(media)
      .where(lt(media.deletedAt, sql.placeholder('before')))
      .limit(sql.placeholder('limit'))
      .prepare(),
  )
  const knownBlobs = db.acrossTenants('objects that no workspace has a row for are collected', (orm) =>
    orm
      .select({ blob: media.blob })
      .from(media)
      .where(inArray(media.blob, sql`(select value from json_each(${sql.placeholder('blobs')}))`))
      .prepare(),
  )
  const at = ({ workspaceId, projects, id }: Place) =>
    and(
      eq(media.workspaceId, workspaceId),
      eq(media.id, id),
      inArray(media.projectId, [...projects]),
      isNull(media.deletedAt),
    )

  return {
    list: (workspaceId: WorkspaceId, projectId: string, after: After | null, limit: number) =>
      list.all({ workspaceId, projectId, limit, ...afterArgs(after) }),
    find: ({ workspaceId, projects, id }: Place) => find.get({ workspaceId, id, projects: JSON.stringify(projects) }),
    /** A file in whatever project of the workspace. */
    byId: (workspaceId: WorkspaceId, id: string) => byId.get({ workspaceId, id }),
    /** The workspace an id is in, and nothing more: rights are judged there. */
    locate: (id: string) => locate.get({ id }),
    insert: inserter(media),
    rename: (place: Place, name: string) => statement(builder.update(media).set({ name }).where(at(place))),
    delete: (place: Place, deletedAt: number) => statement(builder.update(media).set({ deletedAt }).where(at(place))),
    /** Files deleted before an instant, at most `limit`. */
    purgeable: (before: number, limit: number) => purgeable.all({ before, limit }),
    purge: (workspaceId: WorkspaceId, id: string, before: number) =>
      statement(
        builder
          .delete(media)
          .where(and(eq(media.workspaceId, workspaceId), eq(media.id, id), lt(media.deletedAt, before))),
      ),
    /** Which of these objects have a row, deleted ones included. */
    knownBlobs: async (blobs: readonly string[]) =>
      (await knownBlobs.all({ blobs: JSON.stringify(blobs) })).map(({ blob }) => blob),
  }
}
export type MediaStore = ReturnType<typeof mediaStore>
