// `latchkey backup`: the database at one instant and the media it names, as one file.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createArchive } from './archive'
import { createBackupFile } from './file'
import { factsOf, type Medium, mediaOf, withSnapshot } from './snapshot'

/** Where an instance keeps its things: the database file, and the folder of its media. */
export type Places = { database: string; media: string }

/** `leftOut`: ids of media whose bytes are gone or not those that were uploaded. */
export type Written = { media: number; leftOut: string[] }

const objectOf = (places: Places, blob: string): string => join(places.media, 'objects', blob)

type Options = { places: Places; recipient: string | null; version: string; now: number }

/**
 * Writes a backup of what is at `places`, served or not, to `path`, where it appears whole or not at all.
 * `recipient`: the public key it is encrypted to, base64; null: it is not. @throws Error, as a sentence.
 */
export const writeBackup = (path: string, { places, recipient, version, now }: Options): Promise<Written> =>
  withSnapshot(places.database, async (copy) => {
    const file = await createBackupFile(path, recipient)
    try {
      const archive = createArchive(file)
      await archive.header({ version, createdAt: now, ...factsOf(copy) })
      await archive.add({ name: 'database', size: statSync(copy).size }, copy)
      const leftOut: string[] = []
      let media = 0
      for (const medium of mediaOf(copy)) {
        if (!(await addMedium(archive, places, medium))) leftOut.push(medium.id)
        media++
      }
      await archive.end()
      await file.publish()
      return { media, leftOut }
    } catch (error) {
      await file.discard()
      throw error
    }
  })

/** False for one whose bytes are not those of its row; altered ones are kept all the same. */
const addMedium = async (archive: ReturnType<typeof createArchive>, places: Places, { blob, size, sha256 }: Medium) => {
  const path = objectOf(places, blob)
  if (statSync(path, { throwIfNoEntry: false })?.size !== size) return false
  return (await archive.add({ name: `media/${blob}`, size }, path)) === sha256
}
