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

// How long one may take before it is said that there is none; and by how much clocks of machines may differ.
const graceMs = 3_600_000
// Probes come often, and a bucket is far away.
const lookEveryMs = 60_000

/** `newestAt`: an instant in ms. `isAhead`: something is named for a time to come, by a clock that was wrong. */
type Look = { newestAt: number; isAhead: boolean }

export const backupService = ({ write, clock, backups, instanceOf, everyMs }: Deps) => {
  let failure: { at: number; error: unknown } | undefined
  let looked: { at: number; found: Promise<Look> } | undefined

  /** Those of this instance since it was last restored. */
  const ours = async () => {
    const { instance, generation } = await instanceOf()
    return (await backups.list()).filter((it) => it.instance === instance && it.generation === generation)
  }
  // What is named for a time to come does not count: it would stay the newest until then, and none be made.
  const look = async (): Promise<Look> => {
    const [instants, until] = [(await ours()).map(({ at }) => at), clock.now() + graceMs]
    const past = instants.filter((at) => at <= until)
    return { newestAt: Math.max(...past), isAhead: past.length < instants.length }
  }

  const make = async (signal: AbortSignal) => {
    const before = new Set((await ours()).map(({ name }) => name))
    try {
      await backups.make(signal)
      failure = undefined
    } catch (error) {
      if (signal.aborted) return
      failure = { at: clock.now(), error }
    }
    looked = undefined
    const after = (await ours()).map(({ name }) => name)
    const made = after.filter((name) => !before.has(name))
    const change = { made, removed: before.size + made.length - after.length }
    if (made.length > 0) await write(system, { action: 'backup.made', targets: [], change }, [])
    if (failure !== undefined) throw failure.error
  }

  return {
    /** Makes one when it is due. @throws Error, as a sentence, when it was not made, or is not sound */
    async run(signal: AbortSignal): Promise<void> {
      if (clock.now() - (await look()).newestAt >= everyMs) await make(signal)
    },

    /** Rejects when the last one tried here failed and none has come since, when the newest is overdue, or one is of a time to come. */
    async check(): Promise<void> {
      if (looked === undefined || clock.monotonic() - looked.at >= lookEveryMs)
        looked = { at: clock.monotonic(), found: look() }
      const { newestAt, isAhead } = await looked.found
      if (failure !== undefined && failure.at >= newestAt) throw failure.error
      if (clock.now() - newestAt > everyMs + graceMs) throw new Error('There is no backup as new as there should be.')
      if (isAhead) throw new Error('A backup is named for a time to come, by a clock that was wrong: remove it.')
    },
  }
}
