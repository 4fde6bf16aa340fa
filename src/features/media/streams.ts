// Downloads under way on this node: so many at once for each caller or link, and for each workspace.
import { Failure } from '../../errors'
import { type Plans, planOf } from '../../limits'
import type { Actor } from '../../permissions'
import type { Clock, Hold } from '../../ports'

/** One download's place: `begin` wraps the right that its bytes hang on, `end` is for one that has no stream. */
type Slot = { begin(right: Hold): Hold; end(): void }
/** The link that a download is by. `expiresAt` in ms. */
type ByLink = Readonly<{ id: string; expiresAt: number }>
type Taken = { isRunning: boolean; readonly since: number }

// A stream that nobody ever pulled never says that it has ended.
const unbegunMs = 10_000
const retryAfterSeconds = 5
// What was begun by a ticket in time may be finished; a player asks for each range anew.
const graceMs = 600_000

/**
 * Built for `take(actor, link)`, which throws Failure `rate_limited` where the actor's plan allows no more. What is read by
 * a link has places of its own, so that whoever has the ticket cannot take its maker's, and ends ten minutes after it.
 */
export const createStreams = ({ plans, clock }: { plans: Plans; clock: Clock }) => {
  const byOwner = new Map<string, Set<Taken>>()
  const ends = new Map<string, AbortSignal>()

  /** One timer for a link, however many read by it. */
  const endOf = ({ id, expiresAt }: ByLink): AbortSignal => {
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

  const add = (owners: readonly string[], taken: Taken) => {
    for (const owner of owners) byOwner.set(owner, (byOwner.get(owner) ?? new Set()).add(taken))
  }
  const remove = (owners: readonly string[], taken: Taken) => {
    for (const owner of owners) {
      const all = byOwner.get(owner)
      if (all?.delete(taken) && all.size === 0) byOwner.delete(owner)
    }
  }
  const isFull = (owner: string, most: number | undefined): boolean => {
    const all = byOwner.get(owner)
    if (!all || most === undefined || all.size < most) return false
    const lapsed = clock.monotonic() - unbegunMs
    for (const taken of all) if (!taken.isRunning && taken.since < lapsed) all.delete(taken)
    return all.size >= most
  }

  return ({ id, lineage, workspace }: Actor, link?: ByLink): Slot => {
    const most = planOf(plans, workspace.plan ?? 'default').streams ?? {}
    const [caller, tenant] = [link?.id ?? lineage ?? id, String(workspace.id)]
    if (isFull(caller, link ? (most.link ?? most.caller) : most.caller) || isFull(tenant, most.workspace))
      throw new Failure('rate_limited', 'Too many downloads at once', {
        headers: { 'retry-after': String(retryAfterSeconds) },
      })
    const [owners, taken] = [[caller, tenant], { isRunning: false, since: clock.monotonic() }]
    add(owners, taken)
    const end = () => remove(owners, taken)
    return {
      end,
      begin: ({ signal, release }) => {
        taken.isRunning = true
        add(owners, taken)
        return {
          signal: link ? AbortSignal.any([signal, endOf(link)]) : signal,
          release: () => {
            end()
            release()
          },
        }
      },
    }
  }
}
export type Streams = ReturnType<typeof createStreams>
