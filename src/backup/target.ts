// Where a backup may be written: over nothing but an older one of the same instance, and not into what it is a backup of.
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { readHeader } from './archive'
import { kindOf, readBackupFile } from './file'
import type { Place } from './place'

/** A path without links in it, as far as it is there. */
const realOf = (path: string): string =>
  existsSync(path) ? realpathSync(path) : path === dirname(path) ? path : join(realOf(dirname(path)), basename(path))

/** `folders`: of data and media. `database`: its file. @throws Error, as a sentence, for a path among them. */
export const demandOutside = (path: string, folders: readonly string[], database: string | null): void => {
  const [target, ...within] = [path, ...folders].map((it) => realOf(resolve(it))) as [string, ...string[]]
  const isBeside = database !== null && dirname(target) === dirname(realOf(resolve(database)))
  if (isBeside || within.some((folder) => `${target}${sep}`.startsWith(folder + sep)))
    throw new Error('A backup is written outside the folders of data and media, where nothing else may be.')
}

const isBackupOf = async (place: Place, name: string, instance: string): Promise<boolean> => {
  const kind = await kindOf(await place.open(name))
  // A sealed one says no more of itself.
  if (kind !== 'plain') return kind === 'sealed'
  return (await readHeader(readBackupFile(await place.open(name), null))).instance === instance
}

/** @throws Error, as a sentence, where there is something of that name that is no backup of the instance. */
export const demandReplaceable = async (place: Place, name: string, instance: string): Promise<void> => {
  if (!(await isBackupOf(place, name, instance).catch(() => false)))
    throw new Error('What has that name is no backup of this instance: it is left as it is.')
}
