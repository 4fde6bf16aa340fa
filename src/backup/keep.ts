// Which backups there are of an instance at a place, and which of them are kept.
import { type Named, readName } from './names'
import type { Place } from './place'

type Instance = Pick<Named, 'instance' | 'generation'>

/**
 * Those of one instance and generation up to the instant `until` (ms), the newest last. What was there before a restore is
 * left to people, and so is what was named by a clock that was ahead.
 */
export const backupsOf = async (place: Place, { instance, generation }: Instance, until: number): Promise<string[]> =>
  (await place.list()).filter((name) => {
    const named = readName(name)
    return named?.instance === instance && named.generation === generation && named.at <= until
  })

/** Removes all but the newest `keep` up to the one made at the instant `at` (ms). Only once that is whole and sound. Gives how many. */
export const prune = async (place: Place, of: Instance & { at: number }, keep: number): Promise<number> => {
  const old = (await backupsOf(place, of, of.at)).slice(0, -keep)
  for (const name of old) await place.remove(name)
  await place.sweep(`latchkey-${of.instance}-`)
  return old.length
}
