// One way to connect to Redis or Valkey: whoever does decides how long a command may wait for it.
import { Redis, type RedisOptions } from 'ioredis'

const retryStrategy = (times: number) => Math.min(times * 100, 1000)

/** Comes back by itself for as long as it takes. `url`: redis:// or rediss://, with its password. */
export const connectRedis = (url: string, options: RedisOptions): Redis =>
  new Redis(url, Object.assign(options, { retryStrategy }))
