// A word to the other nodes that something was taken away, over Redis or Valkey. It hastens a pull and decides nothing.
import { Redis } from 'ioredis'
import type { Hint, Log } from '../ports'

const channel = 'latchkey:revoked'

/** Opens without waiting for the server. While it is away words are lost, and nodes pull as they do without it. */
export const openRedisHint = ({ url, log }: { url: string; log: Log }): { hint: Hint; close(): Promise<void> } => {
  const options = { retryStrategy: (times: number) => Math.min(times * 100, 1000), maxRetriesPerRequest: null }
  const [speaking, listening] = [new Redis(url, { ...options, enableOfflineQueue: false }), new Redis(url, options)]
  let listeners: (() => void)[] = []
  for (const connection of [speaking, listening])
    connection.on('error', (error) => log.warn({ error }, 'Redis does not carry words between nodes'))
  listening.on('message', () => {
    for (const listener of listeners) listener()
  })
  listening.subscribe(channel).catch(() => {})
  return {
    hint: {
      tell: () => void speaking.publish(channel, '').catch(() => {}),
      onTold: (listener) => {
        listeners = [...listeners, listener]
      },
    },
    close: async () => {
      speaking.disconnect()
      listening.disconnect()
    },
  }
}
