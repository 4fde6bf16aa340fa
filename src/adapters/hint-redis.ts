// A word to the other nodes that something was taken away, over Redis or Valkey. It hastens a pull and decides nothing.
import type { Hint, Log } from '../ports'
import { connectRedis } from './redis'

const channel = 'latchkey:revoked'

/** Opens without waiting for the server. While it is away messages are lost, and nodes pull as they do without it. */
export const openRedisHint = ({ url, log }: { url: string; log: Log }): { hint: Hint; close(): Promise<void> } => {
  const speaking = connectRedis(url, { enableOfflineQueue: false })
  const listening = connectRedis(url, { maxRetriesPerRequest: null })
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
