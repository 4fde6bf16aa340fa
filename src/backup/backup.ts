// `latchkey backup`: the database at one instant and the media it names, as one file.
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { migrations } from '../../db/migrations/index'
import type { MasterKeys } from '../keyring/master-keys'
import { type Archive, createArchive } from './archive'
import { addMedia, bytesOf, type Found, lookForMedia } from './contents'
import { createBackupFile } from './file'
import type { MediaAt } from './media'
import type { Place } from './place'
import { type DatabaseAt, factsOf, withSnapshot } from './snapshot'
import { demandReplaceable } from './target'

/** Where an instance keeps its things. `folder`: of its data, where it is worked in hidden folders. */
export type House = { folder: string; database: DatabaseAt; media: MediaAt }

/** `isKept`: false where it would have replaced another, and left media out. */
export type Written = Found & { instance: string; generation: number; isKept: boolean }

/** What a backup is called, from what is in it. */
type NameOf = (header: { instance: string; generation: number }) => string
/** What is backed up, for whom, by which version, and when (ms). `master`: opens what is sealed, where it is at hand. */
export type Making = { house: House; recipient: string | null; version: string; now: number; master: MasterKeys | null }

const addDatabase = async (archive: Archive, copy: string, size: number): Promise<void> => {
  const file = await open(copy, 'r')
  const read = (into: Uint8Array, at: number) => file.read(into, 0, into.length, at).then((it) => it.bytesRead)
  await archive.add({ name: 'database', size }, read).finally(() => file.close())
}

/**
 * Writes a backup of `house`, served or not, to `place`, where it appears whole or not at all.
 * `recipient`: the public key it is encrypted to, base64; null: it is not. @throws Error, as a sentence.
 */
export const writeBackup = (place: Place, nameOf: NameOf, { house, recipient, version, now, master }: Making) =>
  withSnapshot(house.database, house.folder, async (copy): Promise<Written> => {
    const [facts, { media }] = [factsOf(copy), house]
    if (migrations.some(({ name }) => !facts.migrations.includes(name)))
      throw new Error(
        'This database is of an older version of Latchkey: back it up with that one, or migrate it first.',
      )
    const [name, { size }] = [nameOf(facts), statSync(copy)]
    const replaces = await place.has(name)
    if (replaces) await demandReplaceable(place, name, facts.instance)
    // Seals, digests and names are less than the hundredth part.
    const expected = Math.ceil((size + (media.kind === 'included' ? bytesOf(copy) : 0)) * 1.01)
    const sink = await place.create(name, expected)
    try {
      const file = await createBackupFile(sink, recipient)
      const archive = createArchive(file)
      await archive.header({ version, createdAt: now, ...facts, mediaAt: media.kind === 'included' ? null : media.at })
      await addDatabase(archive, copy, size)
      const found =
        media.kind === 'included'
          ? await addMedia(archive, media.folder, copy, master)
          : await lookForMedia(media, copy)
      await archive.end()
      const isKept = !replaces || found.leftOut.length === 0
      await (isKept ? file.publish() : sink.discard())
      return { instance: facts.instance, generation: facts.generation, ...found, isKept }
    } catch (error) {
      await sink.discard()
      throw error
    }
  })
