// The only SQL about projects and their members.
import { and, desc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { members, projectMembers, projects } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import { most } from '../../limits'
import { type Role, roles, type WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, demand, inserter, statement } from '../../write'

export type ProjectRow = typeof projects.$inferSelect

export const projectStore = (db: Database) => {
  const here = and(eq(projects.workspaceId, sql.placeholder('workspaceId')), isNull(projects.deletedAt))
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
    insert: inserter(projects),
    /** Undoes a batch that has made one too many; placed after what makes it. */
    keepsWithin: (workspaceId: WorkspaceId) =>
      demand(
        sql`(select count(*) from ${projects} where ${and(
          eq(projects.workspaceId, workspaceId),
          isNull(projects.deletedAt),
        )}) <= ${most.projects}`,
        'quota_exceeded',
        `A workspace has at most ${most.projects} projects`,
      ),
    update: (workspaceId: WorkspaceId, id: string, change: { name?: string; restricted?: boolean }) =>
      statement(builder.update(projects).set(change).where(isLive(workspaceId, id))),
    /** Out of sight at once, its slug free for another; the rows go with the purge. The default one stays. */
    delete: (workspaceId: WorkspaceId, id: string, deletedAt: number) =>
      statement(
        builder
          .update(projects)
          .set({ deletedAt, slug: id })
          .where(and(isLive(workspaceId, id), eq(projects.isDefault, false))),
      ),
  }
}

const isLive = (workspaceId: WorkspaceId, id: string) =>
  and(eq(projects.workspaceId, workspaceId), eq(projects.id, id), isNull(projects.deletedAt))

export type ProjectMemberRow = typeof projectMembers.$inferSelect

export const projectMemberStore = (db: Database) => {
  const ofProject = and(
    eq(projectMembers.workspaceId, sql.placeholder('workspaceId')),
    eq(projectMembers.projectId, sql.placeholder('projectId')),
  )
  const list = db.orm
    .select()
    .from(projectMembers)
    .where(and(ofProject, isAfter(projectMembers.createdAt, projectMembers.userId)))
    .orderBy(desc(projectMembers.createdAt), desc(projectMembers.userId))
    .limit(sql.placeholder('limit'))
    .prepare()
  const find = db.orm
    .select()
    .from(projectMembers)
    .where(and(ofProject, eq(projectMembers.userId, sql.placeholder('userId'))))
    .prepare()
  const membership = (workspaceId: WorkspaceId, userId: string, among: readonly Role[]): SQL =>
    sql`exists (select 1 from ${members} where ${and(
      eq(members.workspaceId, workspaceId),
      eq(members.userId, userId),
      inArray(members.role, [...among]),
    )})`

  return {
    list: (workspaceId: WorkspaceId, projectId: string, after: After | null, limit: number) =>
      list.all({ workspaceId, projectId, limit, ...afterArgs(after) }),
    find: (workspaceId: WorkspaceId, projectId: string, userId: string) => find.get({ workspaceId, projectId, userId }),
    isProject: (workspaceId: WorkspaceId, id: string): SQL =>
      sql`exists (select 1 from ${projects} where ${isLive(workspaceId, id)})`,
    isMember: (workspaceId: WorkspaceId, userId: string): SQL => membership(workspaceId, userId, roles),
    /** Whether their role in the workspace is that one or above. */
    mayHold: (workspaceId: WorkspaceId, userId: string, role: Role): SQL =>
      membership(workspaceId, userId, roles.slice(roles.indexOf(role))),
    put: (row: typeof projectMembers.$inferInsert) =>
      statement(
        builder
          .insert(projectMembers)
          .values(row)
          .onConflictDoUpdate({
            target: [projectMembers.workspaceId, projectMembers.projectId, projectMembers.userId],
            set: { role: row.role },
          }),
      ),
    remove: (workspaceId: WorkspaceId, projectId: string, userId: string) =>
      statement(
        builder
          .delete(projectMembers)
          .where(
            and(
              eq(projectMembers.workspaceId, workspaceId),
              eq(projectMembers.projectId, projectId),
              eq(projectMembers.userId, userId),
            ),
          ),
      ),
  }
}
