// Who read which file, on record: a row for each actor, file and hour, written in the background.
import type { Actor } from '../../permissions'
import type { Clock } from '../../ports'
import { type Author, system, type Write } from '../../write'

const hourMs = 3_600_000
const maxKnown = 50_000
/** Rows between two flushes. */
const maxWaiting = 1000

type Read = Readonly<{ author: Author; targets: readonly string[]; version: number }>
type Seen = { id: string; version: number; link: string | undefined }

/** What of an actor outlives the answer. */
const authorOf = (actor: Actor): Author => {
  const { requestId, client, userAgent } = actor.origin
  const origin = { requestId, client, userAgent }
  return { ...actor, origin, person: actor.person && { ...actor.person, origin } }
}

/**
 * `note` keeps the first time in an hour that an actor reads a file, by each link apart; `flush` writes what waits, and
 * keeps it where that fails. What is over the bounds is only counted.
 */
export const createReads = ({ write, clock }: { write: Write; clock: Clock }) => {
  const known = new Map<string, number>()
  const waiting: Read[] = []
  let uncounted = 0

  return {
    note(actor: Actor, { id, version, link }: Seen): void {
      const [key, now] = [`${actor.id} ${id} ${link ?? ''}`, clock.now()]
      if ((known.get(key) ?? 0) > now) return
      if (waiting.length >= maxWaiting || known.size >= maxKnown) {
        uncounted++
        return
      }
      known.set(key, now + hourMs)
      waiting.push({ author: authorOf(actor), targets: link === undefined ? [id] : [id, link], version })
    },
    async flush(): Promise<void> {
      const now = clock.now()
      for (const [key, until] of known) if (until <= now) known.delete(key)
      for (let read = waiting[0]; read; read = waiting[0]) {
        const { author, targets, version } = read
        await write(author, { action: 'media.read', targets, change: { version } }, [])
        waiting.shift()
      }
      const missed = uncounted
      if (missed === 0) return
      await write(system, { action: 'media.read', targets: [], change: { uncounted: missed } }, [])
      uncounted -= missed
    },
  }
}
export type Reads = ReturnType<typeof createReads>
