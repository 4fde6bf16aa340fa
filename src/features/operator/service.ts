// The operator: people whose address the settings list. They set plans and credits and see how the instance is.

import { Failure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import { type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Plan, Plans } from '../../limits'
import type { Person, WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { revoke } from '../../revocation'
import { assertFresh } from '../../step-up'
import { type Author, type Event, system, type Write } from '../../write'
import type { HealthService } from '../health/service'
import type { QuotaService } from '../quotas/service'
import type { InstanceHealth, PlanList, Tenant, TenantQuotas, UpdateTenant } from './model'
import { operatorStore, type TenantRow } from './store'

type Deps = {
  db: Database
  write: Write
  clock: Clock
  addresses: Addresses
  /** Exact addresses of the operators. */
  operators: readonly string[]
  plans: Plans
  quotas: QuotaService
  health: HealthService
  version: string
  /** Whether nodes that should share their limits cannot. */
  limitsAreApart: () => boolean
  /** Whether so many wrong codes were typed that somebody may be guessing. */
  isGuessBreakerOpen: () => Promise<boolean>
}

// The sealer runs each second.
const sealedWithinMs = 60_000

const present = ({ id, plan, credits, createdAt }: TenantRow): Tenant => ({
  ...{ id, plan: plan ?? 'default', credits: credits ?? 0, created_at: rfc3339(createdAt) },
})

const ratesOf = (rates: Plan['caller']) =>
  Object.fromEntries(
    Object.entries(rates).map(([name, { limit, windowMs }]) => [name, { limit, seconds: windowMs / 1000 }]),
  )

export const operatorService = ({ db, write, clock, addresses, plans, quotas, health, ...deps }: Deps) => {
  const store = operatorStore(db)
  const hashes = new Set(deps.operators.map(addresses.hash))

  const get = async (id: string): Promise<TenantQuotas> => {
    const row = await store.find(id)
    if (!row) throw new Failure('not_found')
    return { ...present(row), quotas: (await quotas.show(row.workspaceId)).quotas }
  }

  /** Holds from the next request on. It stands in the workspace's own audit. */
  const set = async (
    author: Author,
    id: string,
    change: NonNullable<Event['change']>,
    statementsOf: (workspaceId: WorkspaceId) => Statement[],
  ): Promise<TenantQuotas> => {
    const row = await store.find(id)
    if (!row) throw new Failure('not_found', 'There is no such workspace')
    const { workspaceId } = row
    const event = { action: 'workspace.plan_set', targets: [id], workspaceId, change }
    await write(author, event, [...statementsOf(workspaceId), revoke(clock.now(), `workspace:${id}`)])
    return get(id)
  }

  const update = async (author: Author, id: string, { plan, credits }: UpdateTenant): Promise<TenantQuotas> => {
    if (plan !== undefined && !Object.hasOwn(plans.plans, plan)) throw new Failure('invalid', 'There is no such plan')
    const change = { ...(plan !== undefined && { plan }), ...(credits !== undefined && { credits }) }
    return set(author, id, change, (workspaceId) => [quotas.setPlan(workspaceId, plan ?? null, credits ?? null)])
  }

  const alerts = async (checks: InstanceHealth['checks']): Promise<InstanceHealth['alerts']> => {
    const failing = Object.entries(checks).filter(([, state]) => state === 'failing')
    const unsealed = await store.unsealed(clock.now() - sealedWithinMs)
    return [
      ...failing.map(([name]) => ({ code: 'check_failing', detail: name })),
      ...(unsealed > 0 ? [{ code: 'audit_unsealed', detail: `${unsealed} events` }] : []),
      ...((await deps.isGuessBreakerOpen()) ? [{ code: 'guess_breaker', detail: 'many wrong codes' }] : []),
      ...(deps.limitsAreApart() ? [{ code: 'limits_not_shared', detail: 'Redis is away' }] : []),
    ]
  }

  return {
    /** Judged by the keyed hash of the person's address as it is now. */
    isOperator: async (userId: string): Promise<boolean> =>
      hashes.size > 0 && hashes.has((await store.addressHash(userId)) ?? ''),

    /** Every workspace, newest first. @throws `step_up_required`, as all of these */
    async list(person: Person, query: PageQuery): Promise<Page<Tenant>> {
      assertFresh(person, clock.now())
      const page = await paginate(
        query,
        (limit, after) => store.list(after, limit),
        (row) => ({ at: row.createdAt, id: row.id }),
      )
      return { ...page, data: page.data.map(present) }
    },

    /** @throws `not_found` */
    async get(person: Person, id: string): Promise<TenantQuotas> {
      assertFresh(person, clock.now())
      return get(id)
    },

    /** Sets what is said. @throws `not_found`, `invalid` */
    async update(person: Person, id: string, change: UpdateTenant): Promise<TenantQuotas> {
      assertFresh(person, clock.now())
      return update(person, id, change)
    },

    /** As `update`, by whoever runs the program itself. */
    setPlan: (id: string, plan: string): Promise<TenantQuotas> => update(system, id, { plan }),

    /** Gives credits, or takes them away: by whoever runs the program itself. @throws `not_found`, `invalid` */
    addCredits: (id: string, count: number): Promise<TenantQuotas> =>
      set(system, id, { credits_added: count }, (workspaceId) => quotas.addCredits(workspaceId, count)),

    /** How the instance is, and what asks for a hand. */
    async health(person: Person): Promise<InstanceHealth> {
      assertFresh(person, clock.now())
      const ready = await health.ready()
      return { version: deps.version, ...ready, counts: await store.counts(), alerts: await alerts(ready.checks) }
    },

    /** The plans in force. */
    plans(person: Person): PlanList {
      assertFresh(person, clock.now())
      return {
        data: Object.entries(plans.plans).map(([name, { workspace, caller, quotas: bounds }]) => ({
          ...{ name, workspace: ratesOf(workspace), caller: ratesOf(caller), quotas: { ...bounds } },
        })),
      }
    },
  }
}
export type OperatorService = ReturnType<typeof operatorService>
