// `latchkey restore`: everything is verified in a folder beside, and put in place last, the database after its media.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { link } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ownerFile } from '../adapters/blobs-disk'
import { lockIfFree, unfinishedRestore } from '../adapters/database-libsql'
import type { House } from './backup'
import { assertVacant, fillPrimary } from './fill'
import { type Source, syncFolder } from './place'
import { type Opening, type Restored, type Staged, unpack } from './unpack'
import { hidden } from './workplace'

const besideMedia = '.restore-media'
// A volume of its own brings the last.
const mayBe = ['master.key', 'media', unfinishedRestore, besideMedia, hidden.drill, 'lost+found']

const filesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder) : [])

const noVacancy = () =>
  new Error('There is data already: a backup is restored into an empty folder, with at most its master.key.')

/** @throws Error, as a sentence, where there is a database already. */
const checkVacant = async ({ folder, database }: House): Promise<void> => {
  if (database.kind === 'primary') return assertVacant(database)
  if (filesIn(folder).some((name) => !mayBe.includes(name))) throw noVacancy()
}

/** Puts what the backup brought where media is kept; nothing else may be there, but what it had brought before. */
const putMedia = async (folder: string, staged: Staged, damaged: Restored['damaged']): Promise<void> => {
  const [there, brought] = [join(folder, 'objects'), join(staged.media, 'objects')]
  // Of what came damaged or not at all the one that is there is no worse.
  const kept = damaged.map(({ blob }) => blob).filter((blob) => existsSync(join(there, blob)))
  const others = filesIn(there).filter((name) => !kept.includes(name) && !existsSync(join(brought, name)))
  if (others.length > 0 || filesIn(join(folder, 'staged')).length > 0)
    throw new Error(
      'There is media already: restore into an empty folder, or leave it as it is by LATCHKEY_BACKUP_MEDIA=referenced.',
    )
  for (const blob of kept) renameSync(join(there, blob), join(brought, blob))
  rmSync(there, { recursive: true, force: true })
  // Of all that is there now this instance is the owner.
  rmSync(join(folder, ownerFile), { force: true })
  renameSync(brought, there)
  await syncFolder(folder)
}

const putDatabase = async ({ database }: House, staged: Staged): Promise<void> => {
  if (database.kind === 'primary') return fillPrimary(staged.database, database)
  // Unlike a rename it replaces nothing that came meanwhile.
  await link(staged.database, database.path).catch((error: { code?: string }) => {
    throw error.code === 'EEXIST' ? noVacancy() : error
  })
  await syncFolder(dirname(database.path))
}

/**
 * Restores into `house`, where no database may be yet. @throws Error, as a sentence; then no server starts on what is
 * there, and the same call does it anew.
 */
export const restoreBackup = async (source: Source, house: House, opening: Opening): Promise<Restored> => {
  const beside = join(house.folder, unfinishedRestore)
  await checkVacant(house)
  const lock = lockIfFree(beside)
  if (lock === null) throw new Error('Another restore is under way here.')
  const folder = house.media.kind === 'included' ? house.media.folder : null
  const staged = {
    database: join(beside, 'database', 'latchkey.db'),
    // On the volume where it will be.
    media: join(folder ?? beside, besideMedia),
  }
  const clear = () => {
    for (const it of [dirname(staged.database), staged.media]) rmSync(it, { recursive: true, force: true })
  }
  try {
    clear()
    const restored = await unpack({ source, media: house.media }, staged, opening)
    if (folder !== null && restored.header.mediaAt === null) await putMedia(folder, staged, restored.damaged)
    await putDatabase(house, staged)
    return restored
  } finally {
    clear()
    rmSync(beside, { recursive: true, force: true })
    lock.close()
  }
}
