// Where a backup may be written: over nothing but an older one of the same instance, and not into what it is a backup of.
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { Config } from '../config'
import { readHeader } from './archive'
import { kindOf, readBackupFile } from './file'
import type { Place } from './place'

type Places = Pick<Config, 'dataDir' | 'database' | 'blobs'>

const asFarAsItIs = (path: string): string => {
  if (existsSync(path)) return realpathSync(path)
  return path === dirname(path) ? path : join(asFarAsItIs(dirname(path)), basename(path))
}

/** A path without links in it, as far as it is there. */
const realOf = (path: string): string => asFarAsItIs(resolve(path))

const isWithin = (path: string, folder: string) => join(path, sep).startsWith(join(folder, sep))

const foldersOf = ({ dataDir, blobs }: Places): string[] =>
  [dataDir, ...(blobs.kind === 'disk' ? [blobs.path] : [])].map(realOf)
/** Where the file of the database is, which may be a folder that holds much else. */
const homeOf = ({ database }: Places): string[] => (database.kind === 'local' ? [dirname(realOf(database.path))] : [])

const isAmong = (file: string, places: Places): boolean =>
  homeOf(places).includes(dirname(file)) || foldersOf(places).some((folder) => isWithin(file, folder))

/** @throws Error, as a sentence, for a file in the folders of data and media, or beside the database. */
export const demandOutside = (file: string, places: Places): void => {
  if (isAmong(realOf(file), places))
    throw new Error('A backup is written outside the folders of data and media, where nothing else may be.')
}

/**
 * The same of where backups are made by themselves, where whoever is given the backups must find no data either.
 * @throws Error, as a sentence.
 */
export const demandApart = ({ backups, ...places }: Places & Pick<Config, 'backups'>): void => {
  if (!backups?.to.startsWith('file:')) return
  const to = realOf(backups.to.slice('file:'.length))
  const isAround = [...homeOf(places), ...foldersOf(places)].some((folder) => isWithin(folder, to))
  if (isAround || isAmong(join(to, 'new'), places))
    throw new Error('LATCHKEY_BACKUP_TO must name a folder outside those of data and media, with none of them in it.')
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
