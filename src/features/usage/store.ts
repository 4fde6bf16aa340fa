// The only SQL about usage.
import { and, asc, desc, eq, gte, isNull, lt, lte, or, sql } from 'drizzle-orm'
import { usage } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { WorkspaceId } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { builder, statement } from '../../write'

export type UsageRow = typeof usage.$inferSelect
/** Days are instants, first and last included. A null filter lets all through. */
export type UsageFilter = {
  workspaceId: WorkspaceId
  projects: readonly string[]
  from: number
  to: number
  projectId: string | null
  keyId: string | null
}

export const usageStore = (db: Database) => {
  const [project, key] = [sql.placeholder('projectId'), sql.placeholder('keyId')]
  const list = db.orm
    .select()
    .from(usage)
    .where(
      and(
        eq(usage.workspaceId, sql.placeholder('workspaceId')),
        or(
          isNull(usage.projectId),
          sql`${usage.projectId} in (select value from json_each(${sql.placeholder('projects')}))`,
        ),
        gte(usage.day, sql.placeholder('from')),
        lte(usage.day, sql.placeholder('to')),
        or(sql`${project} is null`, eq(usage.projectId, project)),
        or(sql`${key} is null`, eq(usage.keyId, key)),
        isAfter(usage.day, usage.id),
      ),
    )
    .orderBy(desc(usage.day), desc(usage.id))
    .limit(sql.placeholder('limit'))
    .prepare()
  const oldest = db.acrossTenants('usage of all workspaces is kept for a time', (orm) =>
    orm
      .select({ workspaceId: usage.workspaceId, day: usage.day })
      .from(usage)
      .where(lt(usage.day, sql.placeholder('before')))
      .orderBy(asc(usage.day))
      .limit(1000)
      .prepare(),
  )

  return {
    /** Newest day first. */
    list: ({ projects, ...filter }: UsageFilter, after: After | null, limit: number) =>
      list.all({ ...filter, projects: JSON.stringify(projects), limit, ...afterArgs(after) }),
    add: ({ requests, refused, ...row }: UsageRow): Statement[] => [
      statement(
        builder
          .insert(usage)
          .values({ ...row, requests: 0, refused: 0 })
          .onConflictDoNothing(),
      ),
      statement(
        builder
          .update(usage)
          .set({ requests: sql`${usage.requests} + ${requests}`, refused: sql`${usage.refused} + ${refused}` })
          .where(and(eq(usage.workspaceId, row.workspaceId), eq(usage.day, row.day), eq(usage.id, row.id))),
      ),
    ],
    /** Workspaces and days from before an instant, some of them. */
    oldest: (before: number) => oldest.all({ before }),
    forget: (workspaceId: WorkspaceId, day: number): Statement =>
      statement(builder.delete(usage).where(and(eq(usage.workspaceId, workspaceId), eq(usage.day, day)))),
  }
}
