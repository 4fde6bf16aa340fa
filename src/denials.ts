// Refusals on record: who was denied what, in a bounded number of slots, so that nobody fills the audit by being refused.
import type { Clock } from './ports'
import type { Author, Write } from './write'

const slotMs = 10 * 60_000
const maxSlots = 2000
const maxWaiting = 100

/** One refused request. `route` is a pattern of ours, never the path as sent. */
export type Denial = Readonly<{ author: Author; method: string; route: string; status: number }>

/**
 * `note` keeps the first refusal of an author (a stranger: of a network) at a route in ten minutes, and counts the rest
 * into the next one kept; `flush` writes what waits. What is over the bounds is only counted, as `uncounted`.
 */
export const createDenials = ({ write, clock }: { write: Write; clock: Clock }) => {
  const slots = new Map<string, { until: number; more: number }>()
  let waiting: { denial: Denial; more: number }[] = []
  let uncounted = 0

  const makeRoom = (now: number) => {
    for (const [key, { until }] of slots) if (until <= now) slots.delete(key)
    return slots.size < maxSlots
  }

  return {
    note(denial: Denial): void {
      const { author, method, route, status } = denial
      const now = clock.now()
      const who = 'id' in author ? author.id : (author.origin?.client ?? '')
      const key = `${who} ${method} ${route} ${status}`
      const slot = slots.get(key)
      if (slot && now < slot.until) slot.more++
      else if (waiting.length >= maxWaiting || (!slot && slots.size >= maxSlots && !makeRoom(now))) uncounted++
      else {
        waiting.push({ denial, more: slot?.more ?? 0 })
        slots.set(key, { until: now + slotMs, more: 0 })
      }
    },
    async flush(): Promise<void> {
      const [taken, missed] = [waiting, uncounted]
      waiting = []
      uncounted = 0
      for (const { denial, more } of taken) {
        const { author, method, route, status } = denial
        const change = { method, route, status, ...(more > 0 && { more_before: more }) }
        await write(author, { action: 'access.denied', targets: [], outcome: 'denied', change }, [])
      }
      if (missed > 0)
        await write(
          { type: 'system', origin: null },
          { action: 'access.denied', targets: [], outcome: 'denied', change: { uncounted: missed } },
          [],
        )
    },
  }
}
export type Denials = ReturnType<typeof createDenials>
