// The only SQL about API keys.
import { and, desc, eq, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { apiKeys, members, projects, workspaces } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Role, WorkspaceId } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { builder, statement } from '../../write'

const listed = {
  id: apiKeys.id,
  name: apiKeys.name,
  hint: apiKeys.hint,
  level: apiKeys.level,
  environment: apiKeys.environment,
  projects: apiKeys.projects,
  createdAt: apiKeys.createdAt,
  lastUsedAt: apiKeys.lastUsedAt,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
}

const isKey = (workspaceId: WorkspaceId, id: string) => and(eq(apiKeys.workspaceId, workspaceId), eq(apiKeys.id, id))

const reads = (db: Database) => {
  const ofWorkspace = eq(apiKeys.workspaceId, sql.placeholder('workspaceId'))
  return {
    locate: db.acrossTenants('locate a key by its hash', (orm) =>
      orm
        .select({
          id: apiKeys.id,
          workspaceId: apiKeys.workspaceId,
          workspacePublicId: workspaces.id,
          workspaceName: workspaces.name,
          level: apiKeys.level,
          environment: apiKeys.environment,
          projects: apiKeys.projects,
          expiresAt: apiKeys.expiresAt,
          revokedAt: apiKeys.revokedAt,
        })
        .from(apiKeys)
        .innerJoin(workspaces, eq(workspaces.workspaceId, apiKeys.workspaceId))
        .where(eq(apiKeys.tokenHash, sql.placeholder('tokenHash')))
        .prepare(),
    ),
    find: db.orm
      .select(listed)
      .from(apiKeys)
      .where(and(ofWorkspace, eq(apiKeys.id, sql.placeholder('id'))))
      .prepare(),
    list: db.orm
      .select(listed)
      .from(apiKeys)
      .where(and(ofWorkspace, isAfter(apiKeys.createdAt, apiKeys.id)))
      .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
      .limit(sql.placeholder('limit'))
      .prepare(),
  }
}

export const keyStore = (db: Database) => {
  const { locate, find, list } = reads(db)
  return {
    /** What is needed to authenticate the holder of a token, by its keyed hash, and nothing else. */
    locate: (tokenHash: string) => locate.get({ tokenHash }),
    find: (workspaceId: WorkspaceId, id: string) => find.get({ workspaceId, id }),
    /** A workspace's keys, newest first, revoked ones included. */
    list: (workspaceId: WorkspaceId, limit: number, after: After | null) =>
      list.all({ workspaceId, limit, ...afterArgs(after) }),
    insert: (row: typeof apiKeys.$inferInsert) => statement(builder.insert(apiKeys).values(row)),
    rename: (workspaceId: WorkspaceId, id: string, name: string) =>
      statement(builder.update(apiKeys).set({ name }).where(isKey(workspaceId, id))),
    /** Revokes, or finds it revoked: RETURNING says since when. */
    revoke: (workspaceId: WorkspaceId, id: string, now: number) =>
      statement(
        builder
          .update(apiKeys)
          .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, ${now})` })
          .where(isKey(workspaceId, id))
          .returning({ revokedAt: apiKeys.revokedAt }),
      ),
    used: (workspaceId: WorkspaceId, id: string, at: number): Statement =>
      statement(
        builder
          .update(apiKeys)
          .set({ lastUsedAt: at })
          .where(and(isKey(workspaceId, id), or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, at)))),
      ),
    /** Whether the person has that role at this moment, not only when the request was let in. */
    hasRole: (workspaceId: WorkspaceId, userId: string, role: Role | null): SQL =>
      sql`exists (select 1 from ${members} where ${and(
        eq(members.workspaceId, workspaceId),
        eq(members.userId, userId),
        sql`${members.role} = ${role}`,
      )})`,
    /** Whether all of these are projects of the workspace. */
    hasProjects: (workspaceId: WorkspaceId, ids: readonly string[]): SQL =>
      sql`(select count(*) from ${projects} where ${and(
        eq(projects.workspaceId, workspaceId),
        inArray(projects.id, [...ids]),
      )}) = ${ids.length}`,
  }
}
export type KeyRow = NonNullable<Awaited<ReturnType<ReturnType<typeof keyStore>['find']>>>
