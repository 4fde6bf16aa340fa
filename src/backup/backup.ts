// `latchkey backup`: the database at one instant and the media it names, as one file.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createArchive } from './archive'
import { createBackupFile } from './file'
import { type MediaAt, storedSize } from './media'
import type { Place } from './place'
import { type DatabaseAt, factsOf, type Medium, mediaOf, withSnapshot } from './snapshot'

/** Where an instance keeps its things. `folder`: of its data, where it is worked in hidden folders. */
export type House = { folder: string; database: DatabaseAt; media: MediaAt }

/** `leftOut`: ids of media whose bytes are gone or not those that were uploaded. */
export type Written = { instance: string; generation: number; media: number; leftOut: string[] }

/** What a backup is called, from what is in it. */
type NameOf = (header: { instance: string; generation: number }) => string
/** What is backed up, for whom, by which version, and when (ms). */
export type Making = { house: House; recipient: string | null; version: string; now: number }

/**
 * Writes a backup of `house`, served or not, to `place`, where it appears whole or not at all.
 * `recipient`: the public key it is encrypted to, base64; null: it is not. @throws Error, as a sentence.
 */
export const writeBackup = (place: Place, nameOf: NameOf, { house, recipient, version, now }: Making) =>
  withSnapshot(house.database, house.folder, async (copy): Promise<Written> => {
    const [facts, { media }] = [factsOf(copy), house]
    const { size } = statSync(copy)
    // Seals, digests and names are less than the hundredth part.
    const sink = await place.create(
      nameOf(facts),
      Math.ceil((size + (media.kind === 'included' ? bytesOf(copy) : 0)) * 1.01),
    )
    try {
      const file = await createBackupFile(sink, recipient)
      const archive = createArchive(file)
      await archive.header({ version, createdAt: now, ...facts, mediaAt: media.kind === 'included' ? null : media.at })
      await archive.add({ name: 'database', size }, copy)
      const found = media.kind === 'included' ? await addMedia(archive, media.folder, copy) : countMedia(copy)
      await archive.end()
      await file.publish()
      return { instance: facts.instance, generation: facts.generation, ...found }
    } catch (error) {
      await sink.discard()
      throw error
    }
  })

type Found = Pick<Written, 'media' | 'leftOut'>
type Archive = ReturnType<typeof createArchive>

const addMedia = async (archive: Archive, folder: string, copy: string): Promise<Found> => {
  const leftOut: string[] = []
  let media = 0
  for (const medium of mediaOf(copy)) {
    if (!(await addMedium(archive, join(folder, 'objects', medium.blob), medium))) leftOut.push(medium.id)
    media++
  }
  return { media, leftOut }
}

/** False for one whose bytes are not those of its row; altered ones are kept all the same. */
const addMedium = async (archive: Archive, path: string, medium: Medium) => {
  const size = storedSize(medium)
  if (statSync(path, { throwIfNoEntry: false })?.size !== size) return false
  const digest = await archive.add({ name: `media/${medium.blob}`, size }, path)
  // Sealed bytes prove what they are once they are opened.
  return medium.key !== null || digest === medium.sha256
}

const bytesOf = (copy: string): number => {
  let bytes = 0
  for (const medium of mediaOf(copy)) bytes += storedSize(medium) + 1024
  return bytes
}

const countMedia = (copy: string): Found => {
  let media = 0
  for (const _ of mediaOf(copy)) media++
  return { media, leftOut: [] }
}
