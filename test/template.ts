// Fresh databases for tests: each is a copy of one migrated file, which takes about a millisecond.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import type { Database } from '../src/ports'

/** A folder of this test process; it is gone when the process ends. */
export const newFolder = (): string => mkdtempSync(join(root(), 'd-'))

const once = <T>(make: () => T) => {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const root = once(() => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
})

/** Path of a migrated, closed database file. Copy it, never open it. */
export const migratedTemplate = once(async (): Promise<string> => {
  const path = join(newFolder(), 'latchkey.db')
  await (await openLocalDatabase({ path })).close()
  return path
})

/** A fresh database of its own. `close` also removes its folder. */
export const newTestDatabase = async (): Promise<{ db: Database; path: string; close: () => Promise<void> }> => {
  const folder = newFolder()
  const path = join(folder, 'latchkey.db')
  copyFileSync(await migratedTemplate(), path)
  const db = await openLocalDatabase({ path })
  const close = async () => {
    await db.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { db, path, close }
}
