// Refusals on record: who was denied what, in a bounded number of slots, so that nobody fills the audit by being refused.
import type { Clock } from './ports'
import type { Author, Write } from './write'

const slotMs = 10 * 60_000
const maxSlots = 2000
/** Rows between two flushes. */
const maxWaiting = 20

/** One refused request. `route` is a pattern of ours, never the path as sent. */
type Denial = Readonly<{ author: Author; method: string; route: string; status: number }>
type Row = Readonly<{ denial: Denial; times: number }>

/**
 * `note` keeps the first refusal of an author (a stranger: of a network) at a route, and counts those of the next ten
 * minutes, told together when they are over; `flush` writes what waits. What is over the bounds is only counted.
 */
export const createDenials = ({ write, clock }: { write: Write; clock: Clock }) => {
  const slots = new Map<string, { denial: Denial; until: number; more: number }>()
  let waiting: Row[] = []
  let uncounted = 0

  const endSlots = (): Row[] => {
    const over = [...slots].filter(([, { until }]) => until <= clock.now())
    for (const [key] of over) slots.delete(key)
    return over.flatMap(([, { denial, more }]) => (more > 0 ? [{ denial, times: more }] : []))
  }

  return {
    note(denial: Denial): void {
      const { author, method, route, status } = denial
      const who = 'id' in author ? author.id : (author.origin?.client ?? '')
      const key = `${who} ${method} ${route} ${status}`
      const slot = slots.get(key)
      if (slot) slot.more++
      else if (waiting.length >= maxWaiting || slots.size >= maxSlots) uncounted++
      else {
        waiting.push({ denial, times: 1 })
        slots.set(key, { denial, until: clock.now() + slotMs, more: 0 })
      }
    },
    async flush(): Promise<void> {
      const [taken, missed] = [[...waiting, ...endSlots()], uncounted]
      waiting = []
      uncounted = 0
      const event = { action: 'access.denied', targets: [], outcome: 'denied' } as const
      for (const { denial, times } of taken) {
        const { author, ...change } = denial
        await write(author, { ...event, change: { ...change, times } }, [])
      }
      if (missed > 0) await write({ type: 'system', origin: null }, { ...event, change: { uncounted: missed } }, [])
    },
  }
}
