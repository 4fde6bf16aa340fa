// Which backups there are of an instance at a place, and which of them are kept.
import { type Named, readName } from './names'
import type { Place } from './place'

type Instance = Pick<Named, 'instance' | 'generation'>

/** Those of one instance and generation, the newest last; what was there before a restore is left to people. */
export const backupsOf = async (place: Place, { instance, generation }: Instance): Promise<string[]> =>
  (await place.list()).filter((name) => {
    const named = readName(name)
    return named?.instance === instance && named.generation === generation
  })

/** Removes all but the newest `keep`. Only once a new one is whole and sound. Gives how many. */
export const prune = async (place: Place, of: Instance, keep: number): Promise<number> => {
  const old = (await backupsOf(place, of)).slice(0, -keep)
  for (const name of old) await place.remove(name)
  await place.sweep(`latchkey-${of.instance}-`)
  return old.length
}
