// The only SQL about projects.
import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import { projects } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, statement } from '../../write'

export type ProjectRow = typeof projects.$inferSelect

export const projectStore = (db: Database) => {
  const here = eq(projects.workspaceId, sql.placeholder('workspaceId'))
  // The projects an actor may enter, as one bound value.
  const enterable = inArray(projects.id, sql`(select value from json_each(${sql.placeholder('ids')}))`)
  const list = db.orm
    .select()
    .from(projects)
    .where(and(here, enterable, isAfter(projects.createdAt, projects.id)))
    .orderBy(desc(projects.createdAt), desc(projects.id))
    .limit(sql.placeholder('limit'))
    .prepare()
  const byId = db.orm
    .select()
    .from(projects)
    .where(and(here, eq(projects.id, sql.placeholder('id'))))
    .prepare()

  return {
    list: (workspaceId: WorkspaceId, ids: readonly string[], after: After | null, limit: number) =>
      list.all({ workspaceId, ids: JSON.stringify(ids), limit, ...afterArgs(after) }),
    byId: (workspaceId: WorkspaceId, id: string) => byId.get({ workspaceId, id }),
    insert: (row: typeof projects.$inferInsert) => statement(builder.insert(projects).values(row)),
    rename: (workspaceId: WorkspaceId, id: string, name: string) =>
      statement(
        builder
          .update(projects)
          .set({ name })
          .where(and(eq(projects.workspaceId, workspaceId), eq(projects.id, id))),
      ),
  }
}
