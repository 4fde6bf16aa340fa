// Rate limits of a request that may otherwise go on: counted, refused by 429, and told (IETF draft ratelimit-headers).
import { Failure } from '../errors'
import { limitedAs } from '../lib/client-address'
import { createGcra, type Grant, type Rate } from '../lib/gcra'
import { type Plans, planOf, type RateClass } from '../limits'
import type { Limiter } from '../ports'
import type { Exchange, Identity } from './exchange'

type Caller = NonNullable<Identity['actor']>
/** Where requests are counted for usage; `take` is false when the month's quota is used up. */
export type Meter = { take(caller: Caller): boolean; refuse(caller: Caller): void }

/** What a request must pass after its permission and before its body is read. Nothing is awaited where all is local. */
export type Gate =
  | { isLocal: true; pass(exchange: Exchange, of: RateClass): void }
  | { isLocal: false; pass(exchange: Exchange, of: RateClass): Promise<void> }

/** Lets everything pass. */
export const openGate: Gate = { isLocal: true, pass: () => {} }

/** One limit that a request falls under. `name` is what the headers call it. */
type Limit = Readonly<{ name: string; key: string; rate: Rate }>

const seconds = (ms: number) => Math.ceil(ms / 1000)
const policy = ({ name, rate }: Limit) => `"${name}";q=${rate.limit};w=${seconds(rate.windowMs)}`
const standing = ({ name, rate }: Limit, { remaining, waitMs }: Grant) =>
  `"${name}";r=${remaining};t=${seconds(waitMs || ((rate.limit - remaining) * rate.windowMs) / rate.limit)}`

const refusal = (limit: Limit, grant: Grant) =>
  new Failure('rate_limited', undefined, {
    headers: {
      'retry-after': String(seconds(grant.waitMs)),
      ratelimit: standing(limit, grant),
      'ratelimit-policy': policy(limit),
    },
  })

/** Whom a request counts against, the narrower first: the key line or user, then its workspace; nobody, by address. */
const createLimitsOf = (plans: Plans) => {
  const fallback = planOf(plans, 'default')
  const newLimits = ({ actor, person }: Identity, of: RateClass): readonly Limit[] => {
    const plan = actor?.workspace.plan === undefined ? fallback : planOf(plans, actor.workspace.plan)
    const [caller, workspace, who] = [plan.caller[of], plan.workspace[of], actor ?? person]
    return [
      ...(who && caller ? [{ name: who.type, key: `${of} ${actor?.lineage ?? who.id}`, rate: caller }] : []),
      ...(actor && workspace ? [{ name: 'workspace', key: `${of} ${actor.workspace.id}`, rate: workspace }] : []),
    ]
  }
  const ofNobody = (address: string | null, of: RateClass): readonly Limit[] => {
    const { auth: rate } = plans.address
    return rate && address !== null ? [{ name: 'address', key: `${of} ${limitedAs(address)}`, rate }] : []
  }
  // A caller is one object for as long as what is known of them is kept.
  const known = new WeakMap<object, Partial<Record<RateClass, readonly Limit[]>>>()

  return (exchange: Exchange, of: RateClass): readonly Limit[] => {
    const { identity } = exchange
    const who = identity.actor ?? identity.person
    if (!who) return ofNobody(exchange.address, of)
    const limits = known.get(who) ?? {}
    if (!limits[of]) known.set(who, Object.assign(limits, { [of]: newLimits(identity, of) }))
    return limits[of] as readonly Limit[]
  }
}

export const createGate = ({ limiter, plans, meter }: { limiter: Limiter; plans: Plans; meter: Meter }): Gate => {
  const limitsOf = createLimitsOf(plans)

  const settle = (exchange: Exchange, limit: Limit, grant: Grant) => {
    if (!grant.isAllowed) {
      if (exchange.identity.actor) meter.refuse(exchange.identity.actor)
      throw refusal(limit, grant)
    }
    // Told before it comes to a refusal, and not while there is plenty.
    if (grant.remaining * 4 < limit.rate.limit)
      exchange.rateLimit = { ratelimit: standing(limit, grant), 'ratelimit-policy': policy(limit) }
  }
  const count = ({ identity: { actor } }: Exchange) => {
    if (actor && !meter.take(actor)) throw new Failure('quota_exceeded', 'The requests of this month are used up')
  }

  if (limiter.isLocal)
    return {
      isLocal: true,
      pass: (exchange, of) => {
        for (const limit of limitsOf(exchange, of)) settle(exchange, limit, limiter.take(limit.key, limit.rate))
        count(exchange)
      },
    }
  return {
    isLocal: false,
    pass: async (exchange, of) => {
      const limits = limitsOf(exchange, of)
      const grants = await Promise.all(limits.map(({ key, rate }) => limiter.take(key, rate)))
      for (const [i, limit] of limits.entries()) settle(exchange, limit, grants[i]!)
      count(exchange)
    },
  }
}

/**
 * Credentials that were none, counted by address. Asked before anything is computed or read for one that is not known
 * already; always in memory.
 */
export const createFailureBucket = ({ address: { failures: rate } }: Plans, now: () => number) => {
  const bucket = createGcra(now)
  const limitOf = (address: string, of: Rate): Limit => ({ name: 'address', key: limitedAs(address), rate: of })
  return {
    /** Why nothing is looked up for that address any more; null while it is. An address that is not known is not counted. */
    refusal: (address: string | null): Failure | null => {
      if (!rate || address === null) return null
      const limit = limitOf(address, rate)
      const grant = bucket.peek(limit.key, rate)
      return grant.isAllowed ? null : refusal(limit, grant)
    },
    note: (address: string | null): void => {
      if (rate && address !== null) bucket.take(limitedAs(address), rate)
    },
  }
}
export type FailureBucket = ReturnType<typeof createFailureBucket>
