// What workspaces may use and do use, put together: plans, quotas, usage, the gate that each request passes, the bodies under way.
import type { Config } from '../config'
import { quotaService } from '../features/quotas/service'
import { usageService } from '../features/usage/service'
import { createFailureBucket, createGate } from '../http/rate-limit'
import { createGcra } from '../lib/gcra'
import { defaultPlans, type Plans, withoutRates } from '../limits'
import { createTraffic } from '../limits/traffic'
import type { Clock, Database, Limiter } from '../ports'
import type { Unaudited } from '../write'

type Parts = {
  db: Database
  unaudited: Unaudited
  clock: Clock
  /** Absent: each node by itself, in memory. */
  limiter: Limiter | undefined
  plans: Plans | undefined
}

export const createUse = ({ rateLimits }: Config, { db, unaudited, clock, ...given }: Parts) => {
  const limiter = given.limiter ?? createGcra(clock.monotonic)
  const plans = rateLimits === 'off' ? withoutRates(given.plans ?? defaultPlans) : (given.plans ?? defaultPlans)
  const quotas = quotaService({ db, plans, clock })
  const { requestsIn, addRequests } = quotas
  const usage = usageService({ db, unaudited, clock, plans, requestsIn, addRequests })
  return {
    ...{ plans, quotas, usage },
    gate: createGate({ limiter, plans, meter: usage }),
    traffic: createTraffic({ plans, clock }),
    failures: createFailureBucket(plans, clock.monotonic),
    /** Whether nodes that should share their limits cannot. */
    limitsAreApart: () => !limiter.isLocal && limiter.isAway(),
  }
}
