// Refusals on record: who was denied what, in a bounded number of slots, so that nobody fills the audit by being refused.
import type { Clock } from '../../ports'
import { type Author, system, type Write } from '../../write'

const slotMs = 10 * 60_000
const maxSlots = 2000
/** Rows between two flushes: in all, of strangers together, and of each who is known. */
const maxRows = { all: 20, strangers: 10, each: 5 }

/** One refused request. `route` is a pattern of ours, never the path as sent. */
type Denial = Readonly<{ author: Author; method: string; route: string; status: number }>
type Row = Readonly<{ denial: Denial; times: number }>

const idOf = (author: Author): string | null => ('id' in author ? author.id : null)

/**
 * `note` keeps the first refusal of an author (a stranger: of a network) at a route, and counts those of the next ten
 * minutes, told together when they are over; `flush` writes what waits, and keeps it where that fails. What is over the
 * bounds is only counted: whoever asks a lot takes no room from those who are known.
 */
export const createDenials = ({ write, clock }: { write: Write; clock: Clock }) => {
  const slots = new Map<string, { denial: Denial; until: number; more: number }>()
  const first: Row[] = []
  const later: Row[] = []
  let uncounted = 0

  const hasRoom = (id: string | null): boolean => {
    const alike = first.filter(({ denial }) => idOf(denial.author) === id).length
    return first.length < maxRows.all && alike < (id === null ? maxRows.strangers : maxRows.each)
  }

  const endSlots = (): void => {
    for (const [key, { denial, until, more }] of slots) {
      if (until > clock.now()) continue
      slots.delete(key)
      if (more > 0) later.push({ denial, times: more })
    }
  }

  const event = { action: 'access.denied', targets: [], outcome: 'denied' } as const
  const writeOut = async (rows: Row[]): Promise<void> => {
    for (let row = rows[0]; row; row = rows[0]) {
      const { author, ...change } = row.denial
      await write(author, { ...event, change: { ...change, times: row.times } }, [])
      rows.shift()
    }
  }

  return {
    note(denial: Denial): void {
      const { author, method, route, status } = denial
      const id = idOf(author)
      const key = `${id ?? author.origin?.client ?? ''} ${method} ${route} ${status}`
      const slot = slots.get(key)
      if (slot) slot.more++
      else if (slots.size >= maxSlots || !hasRoom(id)) uncounted++
      else {
        first.push({ denial, times: 1 })
        slots.set(key, { denial, until: clock.now() + slotMs, more: 0 })
      }
    },
    async flush(): Promise<void> {
      endSlots()
      await writeOut(first)
      await writeOut(later)
      const missed = uncounted
      if (missed === 0) return
      await write(system, { ...event, change: { uncounted: missed } }, [])
      uncounted -= missed
    },
  }
}
