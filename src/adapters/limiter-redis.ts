// Rate limits that several nodes share, on Redis or Valkey; while that server is away each node counts in its own memory.
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { createGcra, type Grant, type Rate } from '../lib/gcra'
import type { Clock, Limiter, Log } from '../ports'
import { connectRedis } from './redis'

const commandTimeoutMs = 300
// A server that hangs costs its timeout to one request now and then, and not to every one.
const askAgainMs = 1000

const connect = (url: string) =>
  connectRedis(url, {
    commandTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 1,
    connectTimeout: 1000,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  })

/** Says once that the server went away and once that it is back; while away it is asked again now and then. */
const createWatch = ({ clock, log }: { clock: Clock; log: Log }) => {
  let isAway = false
  let askAt = 0
  return {
    isAway: () => isAway,
    mayAsk: () => !isAway || clock.monotonic() >= askAt,
    failed: (error: unknown) => {
      if (!isAway) log.warn({ error }, 'Redis is away: each node limits by itself')
      isAway = true
      askAt = clock.monotonic() + askAgainMs
    },
    answered: () => {
      if (isAway) log.info({}, 'Redis is back: nodes share their limits again')
      isAway = false
    },
  }
}

/**
 * Opens, and waits a second at most for the server. There a window is fixed, while memory lets through evenly: both keep
 * to the rate. `url`: redis:// or rediss://, with its password.
 */
export const openRedisLimiter = async ({ url, clock, log }: { url: string; clock: Clock; log: Log }) => {
  const redis = connect(url)
  const watch = createWatch({ clock, log })
  const insurance = createGcra(clock.monotonic)
  const limiters = new Map<string, RateLimiterRedis>()
  redis.on('error', watch.failed)
  await redis.connect().catch(watch.failed)

  const limiterOf = ({ limit, windowMs }: Rate): RateLimiterRedis => {
    const name = `${limit}/${windowMs}`
    let known = limiters.get(name)
    if (!known) {
      const options = { keyPrefix: 'latchkey', points: limit, duration: Math.ceil(windowMs / 1000) }
      known = new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true })
      limiters.set(name, known)
    }
    return known
  }

  const take = async (key: string, rate: Rate): Promise<Grant> => {
    if (!watch.mayAsk()) return insurance.take(key, rate)
    try {
      const { remainingPoints } = await limiterOf(rate).consume(key)
      watch.answered()
      return { isAllowed: true, remaining: remainingPoints, waitMs: 0 }
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) {
        watch.answered()
        return { isAllowed: false, remaining: 0, waitMs: refusal.msBeforeNext }
      }
      watch.failed(refusal)
      return insurance.take(key, rate)
    }
  }
  const limiter: Limiter = { isLocal: false, take, isAway: watch.isAway }
  return { limiter, close: async () => redis.disconnect() }
}
