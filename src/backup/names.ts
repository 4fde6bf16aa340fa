// What backups are called and where that is: a path, an s3:// address, or a name at LATCHKEY_BACKUP_TO.
import { basename, dirname } from 'node:path'
import { systemClock } from '../adapters/clock'
import { createS3 } from '../adapters/s3'
import { isBackupInTheClear } from '../config/shapes'
import { parseS3Place } from '../lib/s3-place'
import type { SigningKeys } from '../lib/sigv4'
import { createFolderPlace, type Place } from './place'
import { createBucketPlace } from './place-s3'

/** Where scheduled backups go: `file:<folder>` or `s3://bucket/prefix?…`, and the keys for the latter. */
export type Target = { to: string; keys: SigningKeys | null }
export type Named = { instance: string; generation: number; at: number }

const form = /^latchkey-([0-9a-f]{32})-(\d{1,15})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.backup$/

/** Names sort by their instants, within one instance and generation. `at`: an instant in ms. */
export const nameOf = ({ instance, generation, at }: Named): string =>
  `latchkey-${instance}-${generation}-${new Date(at).toISOString().replace(/[-:.]/g, '')}.backup`

/** Null for what this program does not name so. */
export const readName = (name: string): Named | null => {
  const [, instance, generation, y, mo, d, h, mi, s, ms] = form.exec(name) ?? []
  if (instance === undefined) return null
  return { instance, generation: Number(generation), at: Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}.${ms}Z`) }
}

const bucketAt = (to: string, keys: SigningKeys | null): Place => {
  if (keys === null) throw new Error('A bucket needs LATCHKEY_BACKUP_S3_ACCESS_KEY and LATCHKEY_BACKUP_S3_SECRET_KEY.')
  return createBucketPlace(createS3({ place: parseS3Place(to), keys, fetch, clock: systemClock }))
}

/** The place that a setting names. */
export const placeAt = ({ to, keys }: Target): Place =>
  to.startsWith('s3://') ? bucketAt(to, keys) : createFolderPlace(to.slice('file:'.length))

/** What may be named: `keys` are for buckets, `target` is null where no place is set. */
export type Known = { keys: SigningKeys | null; target: Target | null; isProduction: boolean }

/** What an operator calls a backup. @throws Error, as a sentence. */
export const locate = (text: string, { keys, target, isProduction }: Known): { place: Place; name: string } => {
  if (target && readName(text)) return { place: placeAt(target), name: text }
  if (!text.startsWith('s3://')) return { place: createFolderPlace(dirname(text)), name: basename(text) }
  const [, to, name, query = ''] = /^(s3:\/\/[^?]*)\/([^/?]+)(\?.*)?$/.exec(text) ?? []
  if (to === undefined || name === undefined) throw new Error('s3://bucket/prefix/name?endpoint=…&region=…')
  if (isProduction && isBackupInTheClear(to + query))
    throw new Error('A bucket must have an https:// endpoint in production, but on this machine.')
  return { place: bucketAt(to + query, keys), name }
}
