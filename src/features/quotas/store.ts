// The only SQL about what workspaces may use and have used.
import { and, eq, gt, gte, isNull, or, type SQL, sql } from 'drizzle-orm'
import { apiKeys, members, quotas, workspacePlans } from '../../../db/schema'
import type { Resource } from '../../limits'
import type { WorkspaceId } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { builder, statement } from '../../write'

/** Kept as an amount; members and keys are rows, and counted. */
export type Counted = Exclude<Resource, 'members' | 'keys'>
/** What each plan allows of a resource, by the plan's name. */
export type Allowances = Record<string, number>

const isOne = (workspaceId: WorkspaceId, resource: Counted, period: string) =>
  and(eq(quotas.workspaceId, workspaceId), eq(quotas.resource, resource), eq(quotas.period, period))

const planIn = (workspaceId: WorkspaceId): SQL =>
  sql`coalesce((select ${workspacePlans.plan} from ${workspacePlans} where ${eq(workspacePlans.workspaceId, workspaceId)}), 'default')`

/** What the workspace's plan, as it is when this runs, allows; a plan that is no more counts as the default one. */
const allowed = (workspaceId: WorkspaceId, of: Allowances): SQL =>
  sql`coalesce((select value from json_each(${JSON.stringify(of)}) where key = ${planIn(workspaceId)}), ${of.default ?? 0})`

const granted = (workspaceId: WorkspaceId): SQL =>
  sql`coalesce((select ${workspacePlans.credits} from ${workspacePlans} where ${eq(workspacePlans.workspaceId, workspaceId)}), 0)`

const reads = (db: Database) => {
  const here = sql.placeholder('workspaceId')
  const live = or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql.placeholder('now')))
  return {
    plan: db.orm
      .select({ plan: workspacePlans.plan, credits: workspacePlans.credits })
      .from(workspacePlans)
      .where(eq(workspacePlans.workspaceId, here))
      .prepare(),
    used: db.orm
      .select({ resource: quotas.resource, period: quotas.period, used: quotas.used })
      .from(quotas)
      .where(and(eq(quotas.workspaceId, here), or(eq(quotas.period, ''), eq(quotas.period, sql.placeholder('period')))))
      .prepare(),
    members: db.orm.select({ n: sql<number>`count(*)` }).from(members).where(eq(members.workspaceId, here)).prepare(),
    keys: db.orm
      .select({ n: sql<number>`count(distinct ${apiKeys.lineage})` })
      .from(apiKeys)
      .where(and(eq(apiKeys.workspaceId, here), isNull(apiKeys.revokedAt), live))
      .prepare(),
  }
}

export const quotaStore = (db: Database) => {
  const { plan, used, members: memberCount, keys: keyCount } = reads(db)
  return {
    planOf: (workspaceId: WorkspaceId) => plan.get({ workspaceId }),
    used: (workspaceId: WorkspaceId, period: string) => used.all({ workspaceId, period }),
    members: async (workspaceId: WorkspaceId) => (await memberCount.get({ workspaceId }))?.n ?? 0,
    keys: async (workspaceId: WorkspaceId, now: number) => (await keyCount.get({ workspaceId, now }))?.n ?? 0,

    /** Makes the counter where there is none. */
    open: (workspaceId: WorkspaceId, resource: Counted, period: string): Statement =>
      statement(builder.insert(quotas).values({ workspaceId, resource, period, used: 0 }).onConflictDoNothing()),
    /** Takes, where what is used and what is taken stay within what is allowed; else changes no row. */
    take: (workspaceId: WorkspaceId, resource: Counted, amount: number, of: Allowances): Statement => {
      const most = resource === 'credits' ? granted(workspaceId) : allowed(workspaceId, of)
      return statement(
        builder
          .update(quotas)
          .set({ used: sql`${quotas.used} + ${amount}` })
          .where(and(isOne(workspaceId, resource, ''), sql`${quotas.used} + ${amount} <= ${most}`)),
      )
    },
    /** Adds what was used already, whatever is allowed. */
    add: (workspaceId: WorkspaceId, resource: Counted, amount: number, period: string): Statement =>
      statement(
        builder
          .update(quotas)
          .set({ used: sql`${quotas.used} + ${amount}` })
          .where(isOne(workspaceId, resource, period)),
      ),
    /** Gives an amount back, or what a query sums up then; never below zero. */
    give: (workspaceId: WorkspaceId, resource: Counted, amount: number | SQL): Statement =>
      statement(
        builder
          .update(quotas)
          .set({ used: sql`max(0, ${quotas.used} - ${amount})` })
          .where(isOne(workspaceId, resource, '')),
      ),
    /** Whether there are no more members than allowed. */
    hasMembers: (workspaceId: WorkspaceId, of: Allowances): SQL =>
      sql`(select count(*) from ${members} where ${eq(members.workspaceId, workspaceId)}) <= ${allowed(workspaceId, of)}`,
    /** Whether there are no more lines of keys that still open anything than allowed: rotation adds none. */
    hasKeys: (workspaceId: WorkspaceId, now: number, of: Allowances): SQL =>
      sql`(select count(distinct ${apiKeys.lineage}) from ${apiKeys} where ${and(
        eq(apiKeys.workspaceId, workspaceId),
        isNull(apiKeys.revokedAt),
        gte(sql`coalesce(${apiKeys.expiresAt}, ${now})`, now),
      )}) <= ${allowed(workspaceId, of)}`,
    /** Sets what is not null. */
    setPlan: (workspaceId: WorkspaceId, name: string | null, credits: number | null): Statement =>
      statement(
        builder
          .insert(workspacePlans)
          .values({ workspaceId, plan: name ?? 'default', credits: credits ?? 0 })
          .onConflictDoUpdate({
            target: workspacePlans.workspaceId,
            set: {
              plan: sql`coalesce(${name}, ${workspacePlans.plan})`,
              credits: sql`coalesce(${credits}, ${workspacePlans.credits})`,
            },
          }),
      ),
    /** Fails by a constraint where there would be fewer than none. */
    addCredits: (workspaceId: WorkspaceId, count: number): Statement[] => [
      statement(
        builder.insert(workspacePlans).values({ workspaceId, plan: 'default', credits: 0 }).onConflictDoNothing(),
      ),
      statement(
        builder
          .update(workspacePlans)
          .set({ credits: sql`${workspacePlans.credits} + ${count}` })
          .where(eq(workspacePlans.workspaceId, workspaceId)),
      ),
    ],
  }
}
