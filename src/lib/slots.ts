// Places for what is under way: so many at once for each owner.

/** A place with each of its owners. `begin` says that it runs; `end` gives it back, and may come twice. */
export type Slot = { begin(): void; end(): void }
type Owner = Readonly<{ key: string; bound: number }>
type Taken = { isRunning: boolean; readonly since: number }

// A stream that nobody ever pulled never says that it has ended.
const unbegunMs = 10_000

/** Built for `take(owners)`, which gives null where one of them has no place left. `now`: ms, monotonic. */
export const createSlots = (now: () => number) => {
  const byOwner = new Map<string, Set<Taken>>()

  const isFull = ({ key, bound }: Owner): boolean => {
    const all = byOwner.get(key)
    if (!all || all.size < bound) return false
    const lapsed = now() - unbegunMs
    for (const taken of all) if (!taken.isRunning && taken.since < lapsed) all.delete(taken)
    return all.size >= bound
  }

  return (owners: readonly Owner[]): Slot | null => {
    if (owners.some(isFull)) return null
    const taken: Taken = { isRunning: false, since: now() }
    const add = () => {
      for (const { key } of owners) {
        const all = byOwner.get(key)
        if (all) all.add(taken)
        else byOwner.set(key, new Set([taken]))
      }
    }
    add()
    return {
      begin: () => {
        taken.isRunning = true
        // It may have been taken for lost.
        add()
      },
      end: () => {
        for (const { key } of owners) {
          const all = byOwner.get(key)
          if (all?.delete(taken) && all.size === 0) byOwner.delete(key)
        }
      },
    }
  }
}
