// Rate limits in memory: the generic cell rate algorithm, one number a key, synchronous and of bounded size.

/** At most `limit` within `windowMs`. */
export type Rate = Readonly<{ limit: number; windowMs: number }>
/** `remaining`: how many more at once; `waitMs`: until one is let through again, 0 where it was. */
export type Grant = Readonly<{ isAllowed: boolean; remaining: number; waitMs: number }>

const maxLooks = 8
// What is left after dividing a window into parts that no float holds.
const roundingMs = 1e-6

/**
 * Lets `limit` through at once and then one each `windowMs / limit`: no window that a caller could straddle. It keeps
 * `maxKeys` at most; past that, keys whose time has run out go first. `now`: ms, monotonic.
 */
export const createGcra = (now: () => number, maxKeys = 100_000) => {
  // Of each key the instant at which it will have all of its limit again.
  const full = new Map<string, number>()

  const makeRoom = (at: number) => {
    for (let looks = 0; full.size >= maxKeys; looks++) {
      const [key, until] = full.entries().next().value as [string, number]
      full.delete(key)
      if (until > at && looks < maxLooks) full.set(key, until)
    }
  }

  const judge = (key: string, { limit, windowMs }: Rate, at: number, cost: number) => {
    const interval = windowMs / limit
    const next = Math.max(full.get(key) ?? at, at) + interval * cost
    const leftMs = at + windowMs - next
    const isAllowed = leftMs >= -roundingMs
    const remaining = isAllowed ? Math.floor((leftMs + roundingMs) / interval) : 0
    return { next, grant: { isAllowed, remaining, waitMs: isAllowed ? 0 : -leftMs } }
  }

  const put = (key: string, at: number, next: number) => {
    if (full.size >= maxKeys && !full.has(key)) makeRoom(at)
    full.set(key, next)
  }

  return {
    isLocal: true,
    /** Whether one more would be let through; counts nothing. */
    peek: (key: string, rate: Rate): Grant => judge(key, rate, now(), 1).grant,
    take: (key: string, rate: Rate, at: number = now()): Grant => {
      const { next, grant } = judge(key, rate, at, 1)
      if (grant.isAllowed) put(key, at, next)
      return grant
    },
    /** Takes `cost` where anything is left, more than that too: whoever overdraws waits until it is made up. */
    spend: (key: string, rate: Rate, cost: number): Grant => {
      const at = now()
      const { grant } = judge(key, rate, at, 1)
      if (grant.isAllowed) put(key, at, judge(key, rate, at, cost).next)
      return grant
    },
    /** Counts what has happened already, allowed or not: what is over the limit is made up for, in one more window at most. */
    charge: (key: string, rate: Rate): void => {
      const at = now()
      put(key, at, Math.min(judge(key, rate, at, 1).next, at + 2 * rate.windowMs))
    },
    get size() {
      return full.size
    },
  } as const
}
