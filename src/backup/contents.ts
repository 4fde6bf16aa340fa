// The media on its way into a backup, or named by it: one that cannot be had is left out and told, and stops nothing.
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../adapters/clock'
import { openLocalDatabase } from '../adapters/database-libsql'
import { openKeyring } from '../keyring'
import type { MasterKeys } from '../keyring/master-keys'
import type { Archive, ReadAt } from './archive'
import { createProof, isStored, type MediaAt, storedSize } from './media'
import { type Medium, mediaOf } from './snapshot'

/**
 * `leftOut`: ids of media whose bytes are not there, cannot be read, or are not those that were uploaded. `unopened`: of
 * how many that cannot be told, since they are sealed and their master key is not at hand.
 */
export type Found = { media: number; leftOut: string[]; unopened: number }

/** Gives zeros for what cannot be read, so that the rest of a backup stands. */
const readerOf = (file: FileHandle) => {
  let isWhole = true
  const read: ReadAt = async (into, at) => {
    const length = isWhole
      ? await file.read(into, 0, into.length, at).then(
          (it) => it.bytesRead,
          () => 0,
        )
      : 0
    if (length > 0) return length
    isWhole = false
    into.fill(0)
    return into.length
  }
  return { read, isWhole: () => isWhole }
}

/** False for one that is left out; one that was altered is kept all the same. */
const addMedium = async (archive: Archive, folder: string, medium: Medium): Promise<boolean> => {
  const [name, size] = [`media/${medium.blob}`, storedSize(medium)]
  const file = await open(join(folder, 'objects', medium.blob), 'r').catch(() => null)
  if (file === null) return false
  try {
    const found = await file.stat().catch(() => null)
    if (found?.size !== size) return false
    const { read, isWhole } = readerOf(file)
    const digest = await archive.add({ name, size }, read)
    // Sealed bytes prove what they are once they are opened.
    return isWhole() && (medium.key !== null || digest === medium.sha256)
  } finally {
    await file.close()
  }
}

/** Opens sealed media by the keys in `copy`, which is written to; null where its master key is not at hand. */
const openSeals = async (copy: string, folder: string, master: MasterKeys | null) => {
  if (master === null) return null
  const db = await openLocalDatabase({ path: copy })
  const keyring = await openKeyring({ db, master, clock: systemClock }).catch(() => null)
  if (keyring) return { prove: createProof({ db, keyring, clock: systemClock, folder }), close: db.close }
  await db.close()
  return null
}

const hasSealed = (copy: string): boolean => mediaOf(copy).some(({ key }) => key !== null)

/** Adds what lies in `folder`. `copy` has been read by now: it is written to. */
export const addMedia = async (archive: Archive, folder: string, copy: string, master: MasterKeys | null) => {
  const seals = hasSealed(copy) ? await openSeals(copy, folder, master).catch(() => null) : null
  const found: Found = { media: 0, leftOut: [], unopened: 0 }
  for (const medium of mediaOf(copy)) {
    found.media++
    const isSound = (await addMedium(archive, folder, medium)) && (medium.key === null || (await seals?.prove(medium)))
    if (isSound === undefined) found.unopened++
    else if (!isSound) found.leftOut.push(medium.id)
  }
  await seals?.close()
  return found
}

/** Looks for what a backup names and leaves where it is: whether something of its size is there. */
export const lookForMedia = async (media: MediaAt, copy: string): Promise<Found> => {
  const isThere = isStored(media)
  const found: Found = { media: 0, leftOut: [], unopened: 0 }
  for (const medium of mediaOf(copy)) {
    found.media++
    if (!(await isThere(medium))) found.leftOut.push(medium.id)
  }
  return found
}

/** How many bytes it takes in a backup, or a little more. */
export const bytesOf = (copy: string): number => mediaOf(copy).reduce((sum, it) => sum + storedSize(it) + 1024, 0)
