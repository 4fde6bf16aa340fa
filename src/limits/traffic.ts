// Bodies under way on this node, in and out: so many at once and so many bytes, for each caller or link and each workspace.
import { Failure } from '../errors'
import { createGcra } from '../lib/gcra'
import { createSlots } from '../lib/slots'
import { ownersOf, type Plans, planOf, uploadsAtOnce } from '../limits'
import type { Actor } from '../permissions'
import type { Clock, Hold } from '../ports'
import { overLimit, tooManyAtOnce } from './rate-limited'

/** A download's place: `begin` wraps the right that its bytes hang on, `end` is for one that has no stream. */
type Place = { begin(right: Hold): Hold; end(): void }
/** The link that a download is by. `expiresAt` in ms. */
type Link = Readonly<{ id: string; expiresAt: number }>

// What was begun by a ticket in time may be finished; a player asks for each range anew.
const graceMs = 600_000

export const createTraffic = ({ plans, clock }: { plans: Plans; clock: Clock }) => {
  const [arriving, leaving] = [createSlots(clock.monotonic), createSlots(clock.monotonic)]
  const sent = createGcra(clock.monotonic)
  const ends = new Map<string, AbortSignal>()

  /** One timer for a link, however many read by it. */
  const endOf = ({ id, expiresAt }: Link): AbortSignal => {
    const known = ends.get(id)
    if (known) return known
    const over = new AbortController()
    ends.set(id, over.signal)
    void clock.sleep(expiresAt + graceMs - clock.now()).then(() => {
      ends.delete(id)
      over.abort(new Failure('forbidden', 'The time of the ticket is over'))
    })
    return over.signal
  }

  return {
    /**
     * Holds a place while `work` takes a body in: where the store is a bucket each has a part of its file in memory, and a
     * slow one for long. @throws Failure `rate_limited`; what `work` throws
     */
    async incoming<T>(actor: Actor, work: () => Promise<T>): Promise<T> {
      const bounds = { ...uploadsAtOnce, ...planOf(plans, actor.workspace.plan).uploads }
      const slot = arriving(ownersOf(actor, bounds))
      if (!slot) throw tooManyAtOnce('uploads')
      slot.begin()
      try {
        return await work()
      } finally {
        slot.end()
      }
    },

    /**
     * A place for a download, of `bytes` where their number is known. What is read by a link ends ten minutes after it.
     * @throws Failure `rate_limited` where too many are under way, or too much was sent; then nothing is spent
     */
    outgoing(actor: Actor, { link, bytes = 0 }: { link?: Link | undefined; bytes?: number } = {}): Place {
      const plan = planOf(plans, actor.workspace.plan)
      const payers = bytes > 0 && plan.bytes ? ownersOf(actor, plan.bytes, link) : []
      for (const { name, key, bound: rate } of payers) {
        const { waitMs } = sent.peek(key, rate)
        if (waitMs > 0) throw overLimit({ name, rate, unit: 'content-bytes' }, waitMs, 'Too many bytes for now')
      }
      const slot = leaving(ownersOf(actor, plan.streams ?? {}, link))
      if (!slot) throw tooManyAtOnce('downloads')
      for (const { key, bound: rate } of payers) sent.spend(key, rate, bytes)
      return {
        end: slot.end,
        begin: ({ signal, release }) => {
          slot.begin()
          return {
            signal: link ? AbortSignal.any([signal, endOf(link)]) : signal,
            release: () => {
              slot.end()
              release()
            },
          }
        },
      }
    },
  }
}
export type Traffic = ReturnType<typeof createTraffic>
