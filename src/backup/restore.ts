// `latchkey restore`: everything is verified in a folder beside, and put in place last, the database after its media.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { migrations } from '../../db/migrations/index'
import { openLocalDatabase } from '../adapters/database-libsql'
import { openKeyring } from '../keyring'
import type { MasterKeys } from '../master-keys'
import type { Clock } from '../ports'
import { type Header, readArchive } from './archive'
import type { Places } from './backup'
import { endWhatWasOpen } from './end'
import { broken, readBackupFile, syncFolder } from './file'
import { factsOf, mediaOf } from './snapshot'

export type Opening = { identity: string | null; master: MasterKeys; clock: Clock }
/** `damaged`: ids of media that came without their bytes, or with others than were uploaded. */
export type Restored = { header: Header; media: number; damaged: string[]; suspended: number }

const save = async (path: string, bytes: AsyncIterable<Uint8Array>) => {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of bytes)
      for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten
    await file.sync()
  } finally {
    await file.close()
  }
}

const checkFits = ({ migrations: applied }: Header) => {
  const known = new Set(migrations.map(({ name }) => name))
  if (applied.some((name) => !known.has(name)))
    throw new Error('This backup was made by a newer version of Latchkey: restore it with that one.')
}

/** Whether the bytes of a medium, as they now lie there, are those that were uploaded. */
const isWhole = async (path: string, sha256: string): Promise<boolean> => {
  if (!existsSync(path)) return false
  const digest = createHash('sha256')
  for await (const piece of createReadStream(path)) digest.update(piece)
  return digest.digest('hex') === sha256
}

const checkMedia = async ({ database, media }: Places) => {
  const damaged: string[] = []
  let count = 0
  for (const { id, blob, sha256 } of mediaOf(database)) {
    count++
    if (!(await isWhole(join(media, 'objects', blob), sha256))) damaged.push(id)
  }
  return { media: count, damaged }
}

/** Unpacks a backup into folders that are empty, and gives them back ready to be served. */
export const unpack = async (path: string, to: Places, { identity, master, clock }: Opening): Promise<Restored> => {
  const objects = join(to.media, 'objects')
  for (const folder of [dirname(to.database), objects]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const chunks = readBackupFile(path, identity)
  const header = await readArchive(chunks, ({ name }, bytes) =>
    save(name === 'database' ? to.database : join(objects, name.slice('media/'.length)), bytes),
  ).finally(() => chunks.return(undefined))
  const { version: _, createdAt, ...said } = header
  if (!isDeepStrictEqual(factsOf(to.database), said) || !Number.isSafeInteger(createdAt)) throw broken()
  checkFits(header)
  const media = await checkMedia(to)
  const db = await openLocalDatabase({ path: to.database })
  try {
    await openKeyring({ db, master, clock })
    return { header, ...media, suspended: await endWhatWasOpen(db, clock, header) }
  } finally {
    await db.close()
  }
}

const beside = '.restore'
// A volume of its own brings the last.
const mayBe = [beside, 'lost+found']

const isEmpty = (folder: string, except: readonly string[]) =>
  !existsSync(folder) || readdirSync(folder).every((name) => except.includes(name))

/** Restores to `places`, where nothing may be yet. @throws Error, as a sentence; then nothing is in place. */
export const restoreBackup = async (path: string, places: Places, opening: Opening): Promise<Restored> => {
  const folder = dirname(places.database)
  if (!isEmpty(folder, ['master.key', 'media', ...mayBe]) || !isEmpty(places.media, mayBe))
    throw new Error('There is data already: a backup is restored into an empty folder, with at most its master.key.')
  const staged = { database: join(folder, beside, 'latchkey.db'), media: join(places.media, beside) }
  const clear = () => {
    for (const it of [dirname(staged.database), staged.media]) rmSync(it, { recursive: true, force: true })
  }
  clear()
  try {
    const restored = await unpack(path, staged, opening)
    renameSync(join(staged.media, 'objects'), join(places.media, 'objects'))
    await syncFolder(places.media)
    renameSync(staged.database, places.database)
    await syncFolder(folder)
    return restored
  } finally {
    clear()
  }
}
