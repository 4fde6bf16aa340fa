// One way to connect to Redis or Valkey: whoever does decides how long a command may wait for it.
import { Redis } from 'ioredis'

/** Times in ms. `maxRetriesPerRequest` null: a command waits for the server to come back. */
type Patience = {
  commandTimeout?: number
  connectTimeout?: number
  maxRetriesPerRequest?: number | null
  lazyConnect?: boolean
  enableOfflineQueue?: boolean
  enableAutoPipelining?: boolean
}

const retryStrategy = (times: number) => Math.min(times * 100, 1000)

/** Comes back by itself for as long as it takes. `url`: redis:// or rediss://, with its password. */
export const connectRedis = (url: string, patience: Patience): Redis => new Redis(url, { ...patience, retryStrategy })
