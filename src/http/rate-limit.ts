// Rate limits of a request that may otherwise go on: counted, refused by 429, and told before it comes to that.
import { Failure } from '../errors'
import { subscriberOf } from '../lib/client-address'
import { createGcra, type Grant, type Rate } from '../lib/gcra'
import { classOf, ownersOf, type Plans, planOf, type RateClass } from '../limits'
import { type Limit, overLimit, standing } from '../limits/rate-limited'
import type { Permission } from '../permissions'
import type { Limiter } from '../ports'
import type { Exchange, Identity } from './exchange'

type Caller = NonNullable<Identity['actor']>
/** Where requests are counted for usage; `take` is false when the month's quota is used up, and that ends what is asked. */
export type Meter = { take(caller: Caller, need: Permission): boolean; refuse(caller: Caller): void }

/** What a route takes: a permission, or nothing at all. */
export type Need = Permission | 'open'
/** What a request must pass after its permission and before its body is read. Nothing is awaited where all is local. */
export type Gate =
  | { isLocal: true; pass(exchange: Exchange, need: Need): void }
  | { isLocal: false; pass(exchange: Exchange, need: Need): Promise<void> }

/** Lets everything pass. */
export const openGate: Gate = { isLocal: true, pass: () => {} }

/** One limit that a request falls under, and under which key it is counted. */
type Counted = Limit & Readonly<{ key: string }>

const ofAddress = (address: string | null, rate: Rate | undefined, prefix = ''): readonly Counted[] =>
  rate && address !== null ? [{ name: 'address', key: prefix + subscriberOf(address), rate }] : []

const ofRights = (session: string | undefined, key: string | undefined, rate: Rate | undefined): readonly Counted[] => {
  const id = session ?? key
  return rate && id ? [{ name: session ? 'session' : 'key', key: `rights ${id}`, rate }] : []
}

/** Whom a request counts against, the narrower first. What takes no sign-in counts by address, whoever asks. */
const createLimitsOf = (plans: Plans) => {
  const newLimits = ({ actor, person, link }: Identity, of: RateClass): readonly Counted[] => {
    const { caller, workspace } = planOf(plans, actor?.workspace.plan)
    if (of === 'rights') return ofRights(person?.sessionId, actor?.id, caller.rights)
    const owners = actor
      ? ownersOf(actor, { caller: caller[of], workspace: workspace[of] }, link)
      : person && caller[of]
        ? [{ name: 'user', key: person.id, bound: caller[of] }]
        : []
    return owners.map(({ name, key, bound }) => ({ name, key: `${of} ${key}`, rate: bound }))
  }
  // A caller is one object for as long as what is known of them is kept.
  const known = new WeakMap<object, Partial<Record<RateClass, readonly Counted[]>>>()

  return (exchange: Exchange, need: Need): readonly Counted[] => {
    const { identity } = exchange
    if (need === 'open') return ofAddress(exchange.address, plans.address.auth, 'auth ')
    const [of, who] = [classOf(need), identity.actor ?? identity.person]
    // Two sessions of a person are one caller in a workspace.
    if (!who || identity.link || of === 'rights') return newLimits(identity, of)
    const limits = known.get(who) ?? {}
    if (!limits[of]) known.set(who, Object.assign(limits, { [of]: newLimits(identity, of) }))
    return limits[of] as readonly Counted[]
  }
}

export const createGate = ({ limiter, plans, meter }: { limiter: Limiter; plans: Plans; meter: Meter }): Gate => {
  const limitsOf = createLimitsOf(plans)

  const settle = (exchange: Exchange, need: Need, limit: Limit, grant: Grant) => {
    if (!grant.isAllowed) {
      const { actor } = exchange.identity
      if (actor && need !== 'open') meter.refuse(actor)
      throw overLimit(limit, grant.waitMs)
    }
    // Told before it comes to a refusal, and not while there is plenty.
    if (grant.remaining * 4 < limit.rate.limit) exchange.rateLimit = standing(limit, grant)
  }
  const count = ({ identity: { actor } }: Exchange, need: Need) => {
    if (actor && need !== 'open' && !meter.take(actor, need))
      throw new Failure('quota_exceeded', 'The requests of this month are used up')
  }

  if (limiter.isLocal)
    return {
      isLocal: true,
      pass: (exchange, need) => {
        for (const limit of limitsOf(exchange, need))
          settle(exchange, need, limit, limiter.take(limit.key, limit.rate, exchange.startedAt))
        count(exchange, need)
      },
    }
  return {
    isLocal: false,
    pass: async (exchange, need) => {
      const limits = limitsOf(exchange, need)
      const grants = await Promise.all(limits.map(({ key, rate }) => limiter.take(key, rate)))
      for (const [i, limit] of limits.entries()) settle(exchange, need, limit, grants[i]!)
      count(exchange, need)
    },
  }
}

/**
 * Credentials that were none, counted by address. Asked before anything is computed or read for one that is not known
 * already; always in memory.
 */
export const createFailureBucket = ({ address: { failures } }: Plans, now: () => number) => {
  const bucket = createGcra(now)
  return {
    /** Why nothing is looked up for that address any more; null while it is. An address that is not known is not counted. */
    refusal: (address: string | null): Failure | null => {
      const [limit] = ofAddress(address, failures)
      const waitMs = limit ? bucket.peek(limit.key, limit.rate).waitMs : 0
      return limit && waitMs > 0 ? overLimit(limit, waitMs) : null
    },
    /** Those looked up together are all counted: what is over the limit is made up for before the next is looked up. */
    note: (address: string | null): void => {
      for (const { key, rate } of ofAddress(address, failures)) bucket.charge(key, rate)
    },
  }
}
export type FailureBucket = ReturnType<typeof createFailureBucket>
