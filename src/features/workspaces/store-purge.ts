// The only SQL that deletes workspaces and projects for good: every row that is theirs, the audit's aside.
import { and, eq, is, isNull, lte, type SQL, sql } from 'drizzle-orm'
import { getTableConfig, type SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import * as schema from '../../../db/schema'
import type { WorkspaceId } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { builder, demand, statement } from '../../write'

const { workspaces, projects, media, mediaVersions, uploads, quotas } = schema
const atOnce = 50

type Owned = SQLiteTable & { workspaceId: SQLiteColumn; projectId?: SQLiteColumn }
// What others refer to goes after them. All else refers to these alone.
const last = ['media', 'uploads', 'api_keys', 'projects', 'members', 'workspaces']
const nameOf = (table: Owned) => getTableConfig(table).name
const owned = (Object.values(schema).filter((t) => is(t, SQLiteTable) && 'workspaceId' in t) as Owned[])
  .filter((t) => nameOf(t) !== 'audit_events')
  .sort((a, b) => last.indexOf(nameOf(a)) - last.indexOf(nameOf(b)))

const forget = (table: Owned, condition: SQL | undefined): Statement =>
  statement(builder.delete(table).where(condition))

/** Gives back what a project's files and uploads still take; a deleted file has given back its own. */
const giveBack = (workspaceId: WorkspaceId, projectId: string): Statement => {
  const sum = (size: SQLiteColumn, table: Owned & { projectId: SQLiteColumn }, left: SQLiteColumn) =>
    sql`(select coalesce(sum(${size}), 0) from ${table} where ${and(
      eq(table.workspaceId, workspaceId),
      eq(table.projectId, projectId),
      isNull(left),
    )})`
  const isLive = sql`exists (select 1 from ${media} where ${and(
    eq(media.workspaceId, workspaceId),
    eq(media.id, mediaVersions.id),
    isNull(media.deletedAt),
  )})`
  const former = sql`(select coalesce(sum(${mediaVersions.size}), 0) from ${mediaVersions} where ${and(
    eq(mediaVersions.workspaceId, workspaceId),
    eq(mediaVersions.projectId, projectId),
    isLive,
  )})`
  const taken = sql`${sum(media.size, media, media.deletedAt)} + ${former} + ${sum(uploads.length, uploads, uploads.mediaId)}`
  return statement(
    builder
      .update(quotas)
      .set({ used: sql`max(0, ${quotas.used} - (${taken}))` })
      .where(and(eq(quotas.workspaceId, workspaceId), eq(quotas.resource, 'storage_bytes'), eq(quotas.period, ''))),
  )
}

export const purgeStore = (db: Database) => {
  const dueWorkspaces = db.orm
    .select({ workspaceId: workspaces.workspaceId, id: workspaces.id })
    .from(workspaces)
    .where(lte(workspaces.deletesAt, sql.placeholder('now')))
    .limit(atOnce)
    .prepare()
  const dueProjects = db.acrossTenants('deleted projects of all workspaces are purged in time', (orm) =>
    orm
      .select({ workspaceId: projects.workspaceId, id: projects.id })
      .from(projects)
      .innerJoin(workspaces, eq(workspaces.workspaceId, projects.workspaceId))
      .where(and(lte(projects.deletedAt, sql.placeholder('before')), isNull(workspaces.deletesAt)))
      .limit(atOnce)
      .prepare(),
  )
  const isDue = (workspaceId: WorkspaceId, now: number) =>
    and(eq(workspaces.workspaceId, workspaceId), lte(workspaces.deletesAt, now))

  return {
    /** A bounded number of workspaces whose time has come. */
    dueWorkspaces: (now: number) => dueWorkspaces.all({ now }),
    /** A bounded number of projects deleted before an instant. */
    dueProjects: (before: number) => dueProjects.all({ before }),
    /** Every row of a workspace. Fails with `conflict` where it was restored meanwhile. */
    workspace: (workspaceId: WorkspaceId, now: number): Statement[] => [
      demand(sql`exists (select 1 from ${workspaces} where ${isDue(workspaceId, now)})`, 'conflict'),
      ...owned.map((table) => forget(table, eq(table.workspaceId, workspaceId))),
    ],
    /** Every row of a project, and itself. */
    project: (workspaceId: WorkspaceId, id: string): Statement[] => [
      giveBack(workspaceId, id),
      ...owned.flatMap((t) =>
        t.projectId ? [forget(t, and(eq(t.workspaceId, workspaceId), eq(t.projectId, id)))] : [],
      ),
      forget(projects, and(eq(projects.workspaceId, workspaceId), eq(projects.id, id))),
    ],
  }
}
