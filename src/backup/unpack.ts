// A backup taken apart into an empty folder, verified in every way, and made ready to be served.
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { migrations } from '../../db/migrations/index'
import { openLocalDatabase } from '../adapters/database-libsql'
import { openKeyring } from '../keyring'
import type { MasterKeys } from '../keyring/master-keys'
import { isBlobKey } from '../lib/blob-key'
import type { Clock } from '../ports'
import { type Entry, type Header, readArchive } from './archive'
import { endWhatWasOpen } from './end'
import { broken, readBackupFile } from './file'
import { createProof, isStored, type MediaAt } from './media'
import { type Source, writeAll } from './place'
import { demandRoom, orFull } from './room'
import { factsOf, type Medium, mediaOf } from './snapshot'

export type Opening = { identity: string | null; master: MasterKeys; clock: Clock }
/** `damaged`: media that came, or lie there, without their bytes or with others than were uploaded. */
export type Restored = { header: Header; media: number; damaged: Pick<Medium, 'id' | 'blob'>[]; suspended: number }
/** Where nothing is yet: a file, alone in its folder, and the folder of media. */
export type Staged = { database: string; media: string }

const save = async (path: string, bytes: AsyncIterable<Uint8Array>) => {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const piece of bytes) await writeAll(file, piece)
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

/** Which media is not there, or is not what was uploaded. */
const checkMedia = async (database: string, isThere: (medium: Medium) => Promise<boolean>) => {
  const damaged: Restored['damaged'] = []
  let count = 0
  for (const medium of mediaOf(database)) {
    count++
    // Both become paths, or are shown.
    if (!isBlobKey(medium.blob) || !/^\w{1,64}$/.test(medium.id)) throw broken()
    if (!(await isThere(medium))) damaged.push(medium)
  }
  return { media: count, damaged }
}

/** Refuses objects that no row names: there are as many as are named and came. Each came once. */
const checkNamed = (database: string, objects: string) => {
  let left = readdirSync(objects).length
  let last = ''
  for (const { blob } of mediaOf(database)) {
    if (blob !== last && existsSync(join(objects, blob))) left--
    last = blob
  }
  if (left !== 0) throw broken()
}

// What a sound database does not answer; what the disk or another process does is left as it is.
const ofDatabase = /^SQLITE_(NOTADB|CORRUPT|ERROR|CONSTRAINT|MISMATCH)/
const orBroken = (error: unknown): never => {
  if (!ofDatabase.test(String((error as { code?: unknown } | null)?.code))) throw error
  throw Object.assign(broken(), { cause: error })
}

const drain = async (bytes: AsyncIterable<Uint8Array>) => {
  for await (const _ of bytes);
}

export type From = { source: Source; media: MediaAt }

/** @throws Error, as a sentence, when anything of it does not hold; what is in the folder is then of no use. */
export const unpack = (from: From, to: Staged, opening: Opening): Promise<Restored> =>
  takeApart(from, to, opening).catch(orFull).catch(orBroken)

const takeApart = async ({ source, media }: From, to: Staged, opening: Opening): Promise<Restored> => {
  const { identity, master, clock } = opening
  const objects = join(to.media, 'objects')
  for (const folder of [dirname(to.database), ...(media.kind === 'included' ? [objects] : [])])
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (media.kind === 'included') await demandRoom(objects, source.size)
  const chunks = readBackupFile(source, identity)
  const keep = async ({ name }: Entry, bytes: AsyncIterable<Uint8Array>) => {
    if (name === 'database') return save(to.database, bytes)
    if (media.kind === 'referenced') return drain(bytes)
    return save(join(objects, name.slice('media/'.length)), bytes)
  }
  const header = await readArchive(chunks, keep).finally(() => chunks.return(undefined))
  const { version: _, createdAt: __, mediaAt, ...said } = header
  if (!isDeepStrictEqual(factsOf(to.database), said)) throw broken()
  checkFits(header)
  const db = await openLocalDatabase({ path: to.database })
  try {
    const keyring = await openKeyring({ db, master, clock })
    const isThere =
      media.kind === 'included' && mediaAt === null
        ? createProof({ db, keyring, clock, folder: to.media })
        : isStored(media)
    const found = await checkMedia(to.database, isThere)
    if (media.kind === 'included') checkNamed(to.database, objects)
    return { header, ...found, suspended: await endWhatWasOpen(db, clock, header) }
  } finally {
    await db.close()
  }
}
