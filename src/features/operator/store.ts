// The only SQL about the instance as a whole, for whoever runs it: numbers and ids, no content.
import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import { auditEvents, users, workspacePlans, workspaces } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Database } from '../../ports'

export const operatorStore = (db: Database) => {
  const tenants = () =>
    db.orm
      .select({
        workspaceId: workspaces.workspaceId,
        id: workspaces.id,
        createdAt: workspaces.createdAt,
        plan: workspacePlans.plan,
        credits: workspacePlans.credits,
      })
      .from(workspaces)
      .leftJoin(workspacePlans, eq(workspacePlans.workspaceId, workspaces.workspaceId))
  const list = tenants()
    .where(isAfter(workspaces.createdAt, workspaces.id))
    .orderBy(desc(workspaces.createdAt), desc(workspaces.id))
    .limit(sql.placeholder('limit'))
    .prepare()
  const find = tenants()
    .where(eq(workspaces.id, sql.placeholder('id')))
    .prepare()
  const count = sql<number>`count(*)`
  const [workspaceCount, userCount] = [
    db.orm.select({ n: count }).from(workspaces).prepare(),
    db.orm.select({ n: count }).from(users).prepare(),
  ]
  const addressHash = db.orm
    .select({ addressHash: users.addressHash })
    .from(users)
    .where(eq(users.id, sql.placeholder('userId')))
    .prepare()
  const unsealed = db.acrossTenants('the operator is told when the audit is not sealed', (orm) =>
    orm
      .select({ n: count })
      .from(auditEvents)
      .where(and(isNull(auditEvents.position), lt(auditEvents.at, sql.placeholder('before'))))
      .prepare(),
  )

  return {
    /** Newest first. */
    list: (after: After | null, limit: number) => list.all({ limit, ...afterArgs(after) }),
    find: (id: string) => find.get({ id }),
    counts: async () => ({
      workspaces: (await workspaceCount.get())?.n ?? 0,
      users: (await userCount.get())?.n ?? 0,
    }),
    addressHash: async (userId: string) => (await addressHash.get({ userId }))?.addressHash,
    /** Audit rows from before an instant that are in no chain yet. */
    unsealed: async (before: number) => (await unsealed.get({ before }))?.n ?? 0,
  }
}
export type TenantRow = NonNullable<Awaited<ReturnType<ReturnType<typeof operatorStore>['find']>>>
