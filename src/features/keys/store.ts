// The only SQL about API keys.
import { and, desc, eq, gt, inArray, isNotNull, isNull, lt, or, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { apiKeys, members, projects, revocations, workspaces } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Role, WorkspaceId } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { builder, inserter, statement } from '../../write'

const listed = {
  id: apiKeys.id,
  name: apiKeys.name,
  hint: apiKeys.hint,
  level: apiKeys.level,
  environment: apiKeys.environment,
  projects: apiKeys.projects,
  ipAllow: apiKeys.ipAllow,
  lineage: apiKeys.lineage,
  createdAt: apiKeys.createdAt,
  lastUsedAt: apiKeys.lastUsedAt,
  expiresAt: apiKeys.expiresAt,
  suspendedAt: apiKeys.suspendedAt,
  revokedAt: apiKeys.revokedAt,
}

const isKey = (workspaceId: WorkspaceId, id: string) => and(eq(apiKeys.workspaceId, workspaceId), eq(apiKeys.id, id))

const isMadeBy = (workspaceId: WorkspaceId, userId: string) =>
  and(eq(apiKeys.workspaceId, workspaceId), eq(apiKeys.createdBy, userId), isNull(apiKeys.revokedAt))

type Instant = number | SQLWrapper
const isLive = (now: Instant) =>
  and(isNull(apiKeys.revokedAt), isNull(apiKeys.suspendedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)))

const lastUse = sql`coalesce(${apiKeys.lastUsedAt}, ${apiKeys.createdAt})`
const isUnused = (now: Instant, since: Instant) => and(isLive(now), lt(lastUse, since))
/** Nobody was told of it since it was last used. */
const isUntold = or(isNull(apiKeys.warnedAt), lt(apiKeys.warnedAt, lastUse))

/** One that was revoked since has nothing to wait for. */
const isSuspended = and(isNotNull(apiKeys.suspendedAt), isNull(apiKeys.revokedAt))

const proof = {
  id: apiKeys.id,
  workspaceId: apiKeys.workspaceId,
  workspacePublicId: workspaces.id,
  workspaceName: workspaces.name,
  level: apiKeys.level,
  environment: apiKeys.environment,
  projects: apiKeys.projects,
  ipAllow: apiKeys.ipAllow,
  lineage: apiKeys.lineage,
  expiresAt: apiKeys.expiresAt,
  suspendedAt: apiKeys.suspendedAt,
  revokedAt: apiKeys.revokedAt,
  workspaceDeletesAt: workspaces.deletesAt,
}

const reads = (db: Database) => {
  const ofWorkspace = eq(apiKeys.workspaceId, sql.placeholder('workspaceId'))
  return {
    locate: db.acrossTenants('locate a key by its hash', (orm) =>
      orm
        .select({ workspaceId: apiKeys.workspaceId, id: apiKeys.id })
        .from(apiKeys)
        .where(eq(apiKeys.tokenHash, sql.placeholder('tokenHash')))
        .prepare(),
    ),
    proof: db.orm
      .select(proof)
      .from(apiKeys)
      .innerJoin(workspaces, eq(workspaces.workspaceId, apiKeys.workspaceId))
      .where(and(ofWorkspace, eq(apiKeys.id, sql.placeholder('id'))))
      .prepare(),
    ...db.acrossTenants('keys of all workspaces that nobody uses are ended', (orm) => {
      const among = (condition?: SQL) =>
        orm
          .select({ workspaceId: apiKeys.workspaceId, id: apiKeys.id })
          .from(apiKeys)
          .where(and(isUnused(sql.placeholder('now'), sql.placeholder('since')), condition))
          .limit(sql.placeholder('limit'))
          .prepare()
      return { unused: among(), untold: among(isUntold) }
    }),
    suspended: db.acrossTenants('keys that a restored backup suspended are confirmed', (orm) =>
      orm.select({ workspaceId: apiKeys.workspaceId, id: apiKeys.id }).from(apiKeys).where(isSuspended).prepare(),
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
  const { locate, proof, find, list, unused, untold, suspended } = reads(db)
  return {
    /** Which key of which workspace it is, by the keyed hash of its token, and nothing else. */
    locate: (tokenHash: string) => locate.get({ tokenHash }),
    /** What is needed to authenticate its holder. */
    proof: (workspaceId: WorkspaceId, id: string) => proof.get({ workspaceId, id }),
    find: (workspaceId: WorkspaceId, id: string) => find.get({ workspaceId, id }),
    /** A workspace's keys, newest first, revoked ones included. */
    list: (workspaceId: WorkspaceId, limit: number, after: After | null) =>
      list.all({ workspaceId, limit, ...afterArgs(after) }),
    insert: inserter(apiKeys),
    update: (workspaceId: WorkspaceId, id: string, change: { name?: string; ipAllow?: string[] | null }) =>
      statement(builder.update(apiKeys).set(change).where(isKey(workspaceId, id))),
    /** Brings the end of a live key forward to `until`, once: its successor is made in the same batch. */
    supersede: (workspaceId: WorkspaceId, id: string, now: number, until: number) =>
      statement(
        builder
          .update(apiKeys)
          .set({ rotatedAt: now, expiresAt: sql`min(coalesce(${apiKeys.expiresAt}, ${until}), ${until})` })
          .where(and(isKey(workspaceId, id), isNull(apiKeys.rotatedAt), isLive(now))),
      ),
    /** Revokes, or finds it revoked: RETURNING says since when. */
    revoke: (workspaceId: WorkspaceId, id: string, now: number) =>
      statement(
        builder
          .update(apiKeys)
          .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, ${now})` })
          .where(isKey(workspaceId, id))
          .returning({ revokedAt: apiKeys.revokedAt }),
      ),
    /** Revokes all live keys that a person made. */
    revokeMadeBy: (workspaceId: WorkspaceId, userId: string, now: number) =>
      statement(builder.update(apiKeys).set({ revokedAt: now }).where(isMadeBy(workspaceId, userId))),
    /** Tells every node of it. Before the statement above, in its batch: so none is missed that was made this instant. */
    takeAwayMadeBy: (workspaceId: WorkspaceId, userId: string, now: number): Statement => ({
      ...statement(
        builder
          .insert(revocations)
          .select(
            sql`select null, 'key:' || ${apiKeys.id}, ${now} from ${apiKeys} where ${isMadeBy(workspaceId, userId)}`,
          )
          .returning({ seq: revocations.seq, subject: revocations.subject }),
      ),
      revokes: true,
    }),
    /** Live keys of all workspaces that nobody used since an instant. */
    unused: (now: number, since: number, limit: number) => unused.all({ now, since, limit }),
    /** Those of them that nobody was told of. */
    untold: (now: number, since: number, limit: number) => untold.all({ now, since, limit }),
    /** Changes no row where it was used meanwhile, or has ended. */
    revokeUnused: (workspaceId: WorkspaceId, id: string, now: number, since: number) =>
      statement(
        builder
          .update(apiKeys)
          .set({ revokedAt: now })
          .where(and(isKey(workspaceId, id), isUnused(now, since))),
      ),
    /** As `revokeUnused`. */
    tell: (workspaceId: WorkspaceId, id: string, now: number, since: number) =>
      statement(
        builder
          .update(apiKeys)
          .set({ warnedAt: now })
          .where(and(isKey(workspaceId, id), isUnused(now, since), isUntold)),
      ),
    suspended: () => suspended.all(),
    confirm: (workspaceId: WorkspaceId, id: string) =>
      statement(
        builder
          .update(apiKeys)
          .set({ suspendedAt: null })
          .where(and(isKey(workspaceId, id), isSuspended)),
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
        isNull(projects.deletedAt),
      )}) = ${ids.length}`,
  }
}
export type KeyRow = NonNullable<Awaited<ReturnType<ReturnType<typeof keyStore>['find']>>>
export type ProofRow = NonNullable<Awaited<ReturnType<ReturnType<typeof keyStore>['proof']>>>
