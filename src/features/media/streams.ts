// Downloads under way on this node: so many at once for each caller, and for each workspace.
import { Failure } from '../../errors'
import { type Plans, planOf } from '../../limits'
import type { Actor } from '../../permissions'
import type { Clock, Hold } from '../../ports'

/** One download's place: `begin` wraps the right that its bytes hang on, `end` is for one that has no stream. */
type Slot = { begin(right: Hold): Hold; end(): void }
type Taken = { isRunning: boolean; readonly since: number }

// A stream that nobody ever pulled never says that it has ended.
const unbegunMs = 10_000
const retryAfterSeconds = 5

/** Built for `take(actor)`, which throws Failure `rate_limited` where the actor's plan allows no more. */
export const createStreams = ({ plans, clock }: { plans: Plans; clock: Pick<Clock, 'monotonic'> }) => {
  const byOwner = new Map<string, Set<Taken>>()

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

  return ({ id, lineage, workspace }: Actor): Slot => {
    const most = planOf(plans, workspace.plan ?? 'default').streams ?? {}
    const [caller, tenant] = [lineage ?? id, String(workspace.id)]
    if (isFull(caller, most.caller) || isFull(tenant, most.workspace))
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
          signal,
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
