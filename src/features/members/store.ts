// The only SQL about members.
import { and, desc, eq, sql } from 'drizzle-orm'
import { members, users, workspaces } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Role, WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, demand, statement } from '../../write'

export const memberStore = (db: Database) => {
  const here = eq(members.workspaceId, sql.placeholder('workspaceId'))
  const rows = () =>
    db.orm
      .select({
        userId: members.userId,
        role: members.role,
        createdAt: members.createdAt,
        name: users.name,
        addressSealed: users.addressSealed,
      })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
  const list = rows()
    .where(and(here, isAfter(members.createdAt, members.userId)))
    .orderBy(desc(members.createdAt), desc(members.userId))
    .limit(sql.placeholder('limit'))
    .prepare()
  const one = rows()
    .where(and(here, eq(members.userId, sql.placeholder('userId'))))
    .prepare()
  // Alone: nobody else is in it. Of one that is being deleted nobody has to be left.
  const places = db.acrossTenants('a person who ends their account leaves every workspace', (orm) =>
    orm
      .select({
        workspaceId: members.workspaceId,
        id: workspaces.id,
        isClosing: sql<number>`${workspaces.deletesAt} is not null`,
        others: sql<number>`(select count(*) - 1 from ${members} as m where m.workspace_id = ${workspaces.workspaceId})`,
      })
      .from(members)
      .innerJoin(workspaces, eq(workspaces.workspaceId, members.workspaceId))
      .where(eq(members.userId, sql.placeholder('userId')))
      .prepare(),
  )
  const of = (workspaceId: WorkspaceId, userId: string) =>
    and(eq(members.workspaceId, workspaceId), eq(members.userId, userId))

  return {
    list: (workspaceId: WorkspaceId, after: After | null, limit: number) =>
      list.all({ workspaceId, limit, ...afterArgs(after) }),
    find: (workspaceId: WorkspaceId, userId: string) => one.get({ workspaceId, userId }),
    /** Every workspace a person is in. */
    placesOf: (userId: string) => places.all({ userId }),
    /** Shuts a workspace for good, unless somebody has come in. */
    close: (workspaceId: WorkspaceId, now: number) => [
      demand(
        sql`(select count(*) from ${members} where ${members.workspaceId} = ${workspaceId}) = 1`,
        'conflict',
        'Somebody has just joined a workspace of yours',
      ),
      statement(builder.update(workspaces).set({ deletesAt: now }).where(eq(workspaces.workspaceId, workspaceId))),
    ],
    setRole: (workspaceId: WorkspaceId, userId: string, role: Role) =>
      statement(builder.update(members).set({ role }).where(of(workspaceId, userId))),
    remove: (workspaceId: WorkspaceId, userId: string) =>
      statement(builder.delete(members).where(of(workspaceId, userId))),
    /** Fails the batch when the workspace would be left without an admin; placed after the change. */
    keepsAnAdmin: (workspaceId: WorkspaceId, detail = 'A workspace keeps at least one admin') =>
      demand(
        sql`exists (select 1 from ${members} where ${members.workspaceId} = ${workspaceId} and ${members.role} = 'admin')`,
        'conflict',
        detail,
      ),
  }
}
export type MemberRow = NonNullable<Awaited<ReturnType<ReturnType<typeof memberStore>['find']>>>
