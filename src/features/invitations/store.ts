// The only SQL about invitations. Whether one still stands is said in one place, and asked in the batch that uses it.
import { and, count, desc, eq, gt, inArray, isNull, lt, or, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { invitations, members, projectMembers, projects, users, workspaces } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import { most } from '../../limits'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, demand, inserter, statement } from '../../write'

export type InvitationRow = typeof invitations.$inferSelect

const isPending = (now: number | Placeholder) =>
  and(isNull(invitations.acceptedAt), isNull(invitations.revokedAt), gt(invitations.expiresAt, now))
const isOne = (workspaceId: WorkspaceId, id: string) =>
  and(eq(invitations.workspaceId, workspaceId), eq(invitations.id, id))
/** Whoever invited is still an admin there. */
const isVouchedFor = sql`exists (select 1 from ${members} where ${and(
  ...[eq(members.workspaceId, invitations.workspaceId), eq(members.userId, invitations.invitedBy)],
  eq(members.role, 'admin'),
)})`

const reads = (db: Database) => {
  const now = sql.placeholder('now')
  const offers = db.acrossTenants('an invitation finds whoever proves its address', (orm) => {
    const all = () =>
      orm
        .select({ row: invitations, workspaceName: workspaces.name, workspacePublicId: workspaces.id })
        .from(invitations)
        .innerJoin(workspaces, eq(workspaces.workspaceId, invitations.workspaceId))
    const stands = and(isPending(now), isVouchedFor, isNull(workspaces.deletesAt))
    return {
      ofAddress: all()
        .where(and(eq(invitations.addressHash, sql.placeholder('hash')), stands))
        .orderBy(desc(invitations.createdAt))
        .limit(100)
        .prepare(),
      byId: all()
        .where(and(eq(invitations.id, sql.placeholder('id')), stands))
        .prepare(),
    }
  })
  const list = db.orm
    .select()
    .from(invitations)
    .where(
      and(eq(invitations.workspaceId, sql.placeholder('workspaceId')), isAfter(invitations.createdAt, invitations.id)),
    )
    .orderBy(desc(invitations.createdAt), desc(invitations.id))
    .limit(sql.placeholder('limit'))
    .prepare()
  const find = db.orm
    .select()
    .from(invitations)
    .where(and(eq(invitations.workspaceId, sql.placeholder('workspaceId')), eq(invitations.id, sql.placeholder('id'))))
    .prepare()
  const sent = db.acrossTenants('the invitations of one person are looked at over all workspaces', (orm) =>
    orm
      .select({ at: invitations.createdAt })
      .from(invitations)
      .where(eq(invitations.invitedBy, sql.placeholder('invitedBy')))
      .orderBy(desc(invitations.createdAt))
      .limit(1)
      .offset(sql.placeholder('later'))
      .prepare(),
  )
  return { ...offers, list, find, sent }
}

export const invitationStore = (db: Database) => {
  const { ofAddress, byId, list, find, sent } = reads(db)
  return {
    /** The invitations that an address may accept. */
    ofAddress: (hash: string, now: number) => ofAddress.all({ hash, now }),
    /** One that still stands, wherever it is. */
    byId: (id: string, now: number) => byId.get({ id, now }),
    find: (workspaceId: WorkspaceId, id: string) => find.get({ workspaceId, id }),
    list: (workspaceId: WorkspaceId, after: After | null, limit: number) =>
      list.all({ workspaceId, limit, ...afterArgs(after) }),
    /** When the person sent the one that `later` others came after. */
    sentAt: async (invitedBy: string, later: number) => (await sent.get({ invitedBy, later }))?.at,
    insert: inserter(invitations),
    /** Whether the person is an admin there at this moment. */
    isAdmin: (workspaceId: WorkspaceId, userId: string): SQL =>
      sql`exists (select 1 from ${members} where ${and(
        ...[eq(members.workspaceId, workspaceId), eq(members.userId, userId), eq(members.role, 'admin')],
      )})`,
    /** Whether nobody with that address is a member. */
    isOutside: (workspaceId: WorkspaceId, addressHash: string): SQL =>
      sql`not exists (select 1 from ${members} join ${users} on ${users.id} = ${members.userId} where ${and(
        eq(members.workspaceId, workspaceId),
        eq(users.addressHash, addressHash),
      )})`,
    isUninvited: (workspaceId: WorkspaceId, addressHash: string, now: number): SQL =>
      sql`not exists (select 1 from ${invitations} where ${and(
        ...[eq(invitations.workspaceId, workspaceId), eq(invitations.addressHash, addressHash), isPending(now)],
      )})`,
    /** Fails the batch where the person has sent `most` since `since`. */
    demandRoom: (invitedBy: string, since: number, most: number) => ({
      ...demand(
        sql`(${builder
          .select({ sent: count() })
          .from(invitations)
          .where(and(eq(invitations.invitedBy, invitedBy), gt(invitations.createdAt, since)))}) < ${most}`,
        'rate_limited',
      ),
      acrossTenants: 'invitations of one person are counted over all workspaces',
    }),
    hasProjects: (workspaceId: WorkspaceId, ids: readonly string[]): SQL =>
      sql`(${builder
        .select({ found: count() })
        .from(projects)
        .where(
          and(eq(projects.workspaceId, workspaceId), inArray(projects.id, [...ids]), isNull(projects.deletedAt)),
        )}) = ${ids.length}`,
    /** Changes no row where it does not stand, or was sent to another address than the person's. */
    accept: ({ workspaceId, id }: InvitationRow, userId: string, now: number) =>
      statement(
        builder
          .update(invitations)
          .set({ acceptedAt: now })
          .where(
            and(
              ...[isOne(workspaceId, id), isPending(now), isVouchedFor],
              sql`${invitations.addressHash} = (select address_hash from ${users} where ${eq(users.id, userId)})`,
            ),
          ),
      ),
    join: ({ workspaceId, role }: InvitationRow, userId: string, createdAt: number) =>
      statement(builder.insert(members).values({ workspaceId, userId, role, createdAt })),
    /** Undoes a batch that has put a person into one too many; placed after `join`. */
    keepsWithin: (userId: string) => ({
      ...demand(
        sql`(${builder.select({ n: count() }).from(members).where(eq(members.userId, userId))}) <= ${most.workspacesOfPerson}`,
        'quota_exceeded',
        `A person accepts no more once they are in ${most.workspacesOfPerson} workspaces`,
      ),
      acrossTenants: 'the workspaces that a person is in are counted',
    }),
    /** Into the projects of the invitation that are still there. */
    enter: ({ workspaceId, role, projects: ids }: InvitationRow, userId: string, createdAt: number) =>
      statement(
        builder.insert(projectMembers).select(
          builder
            .select({
              workspaceId: projects.workspaceId,
              projectId: projects.id,
              userId: sql`${userId}`.as('user_id'),
              role: sql`${role}`.as('role'),
              createdAt: sql`${createdAt}`.as('created_at'),
            })
            .from(projects)
            .where(and(eq(projects.workspaceId, workspaceId), inArray(projects.id, ids), isNull(projects.deletedAt))),
        ),
      ),
    /** Changes no row where it is no longer pending. */
    revoke: (workspaceId: WorkspaceId, id: string, now: number) =>
      statement(
        builder
          .update(invitations)
          .set({ revokedAt: now })
          .where(and(isOne(workspaceId, id), isPending(now))),
      ),
    revokeBy: (workspaceId: WorkspaceId, userId: string, now: number) =>
      statement(
        builder
          .update(invitations)
          .set({ revokedAt: now })
          .where(and(eq(invitations.workspaceId, workspaceId), eq(invitations.invitedBy, userId), isPending(now))),
      ),
    /** Whatever was sent to an address, in every workspace. */
    removeOf: (addressHash: string) => ({
      ...statement(builder.delete(invitations).where(eq(invitations.addressHash, addressHash))),
      acrossTenants: 'what was sent to an address goes with its account',
    }),
    removeEndedBefore: (instant: number) => ({
      ...statement(
        builder.delete(invitations).where(or(lt(invitations.expiresAt, instant), lt(invitations.revokedAt, instant))),
      ),
      acrossTenants: 'ended invitations of all workspaces are forgotten in time',
    }),
  }
}
