// Quotas: what a workspace may use by its plan. Taking is part of the batch that uses it, so that no two take the same.

import { Failure } from '../../errors'
import { monthOf } from '../../lib/month'
import { rfc3339OrNull } from '../../lib/time'
import { allowances, type Plans, type Resource, resources } from '../../limits'
import type { WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { demand, guard } from '../../write'
import type { Quotas } from './model'
import { quotaStore } from './store'

type Deps = { db: Database; plans: Plans; clock: Clock }
type Amount = Extract<Resource, 'storage_bytes' | 'credits'>

const usedUp = (resource: Resource) => new Failure('quota_exceeded', `The quota of ${resource} is used up`)

export const quotaService = ({ db, plans, clock }: Deps) => {
  const store = quotaStore(db)
  const byPlan = Object.fromEntries(resources.map((r) => [r, allowances(plans, r)])) as Record<
    Resource,
    Record<string, number>
  >
  const boundOf = (resource: Resource, plan: string, credits: number): number | null => {
    if (resource === 'credits') return credits
    const most = byPlan[resource][plan] ?? byPlan[resource].default ?? 0
    return most === Number.MAX_SAFE_INTEGER ? null : most
  }

  return {
    /** Statements that take `amount`, for the batch that uses it. @throws by the batch: Failure `quota_exceeded` */
    take: (workspaceId: WorkspaceId, resource: Amount, amount: number): Statement[] => [
      store.open(workspaceId, resource, ''),
      store.take(workspaceId, resource, amount, byPlan[resource]),
      { ...guard('quota_exceeded'), orElse: usedUp(resource) },
    ],

    /** Gives `amount` back, in the batch that frees it. */
    give: (workspaceId: WorkspaceId, resource: Amount, amount: Parameters<typeof store.give>[2]): Statement =>
      store.give(workspaceId, resource, amount),

    /** Undoes a batch that has made one member or key too many; placed after what makes it. */
    keepsWithin: (workspaceId: WorkspaceId, resource: 'members' | 'keys'): Statement =>
      demand(
        resource === 'members'
          ? store.hasMembers(workspaceId, byPlan.members)
          : store.hasKeys(workspaceId, clock.now(), byPlan.keys),
        'quota_exceeded',
        usedUp(resource).detail,
      ),

    /** Adds requests of a month that have been answered. */
    addRequests: (workspaceId: WorkspaceId, month: string, count: number): Statement[] => [
      store.open(workspaceId, 'requests', month),
      store.add(workspaceId, 'requests', count, month),
    ],

    /** The requests of a month so far, as written. */
    requestsIn: async (workspaceId: WorkspaceId, month: string): Promise<number> =>
      (await store.used(workspaceId, month)).find((row) => row.resource === 'requests')?.used ?? 0,

    /** The plan's name; `default` unless an operator has set another. */
    planOf: async (workspaceId: WorkspaceId): Promise<string> => (await store.planOf(workspaceId))?.plan ?? 'default',

    /** Sets plan and credits, what is null staying as it is. */
    setPlan: store.setPlan,

    /** Adds to the credits ever given. @throws by the batch: Failure `invalid` where that leaves fewer than none */
    addCredits: (workspaceId: WorkspaceId, count: number): Statement[] =>
      store
        .addCredits(workspaceId, count)
        .map((it) => ({ ...it, orElse: new Failure('invalid', 'Nobody has fewer credits than none') })),

    async show(workspaceId: WorkspaceId): Promise<Quotas> {
      const now = clock.now()
      const month = monthOf(now)
      const [row, rows, members, keys] = await Promise.all([
        store.planOf(workspaceId),
        store.used(workspaceId, month.name),
        store.members(workspaceId),
        store.keys(workspaceId, now),
      ])
      const { plan, credits } = row ?? { plan: 'default', credits: 0 }
      const used: Partial<Record<Resource, number>> = { members, keys }
      for (const { resource, used: amount } of rows) used[resource] = amount
      return {
        plan,
        quotas: resources.map((resource) => ({
          resource,
          used: used[resource] ?? 0,
          allowed: boundOf(resource, plan, credits),
          resets_at: rfc3339OrNull(resource === 'requests' ? month.endsAt : null),
        })),
      }
    },
  }
}
export type QuotaService = ReturnType<typeof quotaService>
