// Backups that are due: which node makes one, and who is told when there is none. The place itself says what is there.
import type { Backups, Clock } from '../../ports'
import { system, type Write } from '../../write'
import type { backupStore } from './store'

type Deps = {
  write: Write
  clock: Clock
  backups: Backups
  instanceOf: ReturnType<typeof backupStore>['instanceOf']
  /** How old the newest becomes before the next is made, in ms. */
  everyMs: number
}

// How long one may take before it is said that there is none.
const graceMs = 3_600_000
// Probes come often, and a bucket is far away.
const lookEveryMs = 60_000

export const backupService = ({ write, clock, backups, instanceOf, everyMs }: Deps) => {
  let failure: unknown
  let looked: { at: number; age: Promise<number> } | undefined

  /** Those of this instance since it was last restored, the oldest first. */
  const ours = async () => {
    const { instance, generation } = await instanceOf()
    const all = await backups.list()
    return all.filter((it) => it.instance === instance && it.generation === generation).sort((a, b) => a.at - b.at)
  }
  const ageOfNewest = async () => clock.now() - ((await ours()).at(-1)?.at ?? Number.NEGATIVE_INFINITY)

  const make = async (signal: AbortSignal) => {
    const before = new Set((await ours()).map(({ name }) => name))
    try {
      await backups.make(signal)
      failure = undefined
    } catch (error) {
      if (signal.aborted) return
      failure = error
    }
    looked = undefined
    const after = (await ours()).map(({ name }) => name)
    const made = after.filter((name) => !before.has(name))
    const change = { made, removed: before.size + made.length - after.length }
    if (made.length > 0) await write(system, { action: 'backup.made', targets: [], change }, [])
    if (failure !== undefined) throw failure
  }

  return {
    /** Makes one when it is due. @throws Error, as a sentence, when it was not made, or is not sound */
    async run(signal: AbortSignal): Promise<void> {
      if ((await ageOfNewest()) >= everyMs) await make(signal)
    },

    /** Rejects when the last one that was tried here failed, and when the newest there is, by whichever node, is overdue. */
    async check(): Promise<void> {
      if (failure !== undefined) throw failure
      if (looked === undefined || clock.monotonic() - looked.at >= lookEveryMs)
        looked = { at: clock.monotonic(), age: ageOfNewest() }
      const age = (await looked.age) + clock.monotonic() - looked.at
      if (age > everyMs + graceMs) throw new Error('There is no backup as new as there should be.')
    },
  }
}
