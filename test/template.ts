// Fresh databases for tests: each is a copy of one migrated file, which takes about a millisecond.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import type { Database } from '../src/ports'

let root: string | undefined

/** A folder of this test process; it is gone when the process ends. */
export const newFolder = (): string => {
  root ??= mkdtempSync(join(tmpdir(), 'latchkey-'))
  return mkdtempSync(join(root, 'd-'))
}

const endings: (() => void)[] = []
/** Runs once when all tests of this process are done. */
export const atEnd = (run: () => void): void => void endings.push(run)

export const removeFolders = (): void => {
  for (const run of endings.splice(0)) run()
  if (root) rmSync(root, { recursive: true, force: true })
}
process.once('exit', removeFolders)

const makeTemplate = async () => {
  const path = join(newFolder(), 'latchkey.db')
  await (await openLocalDatabase({ path })).close()
  return path
}
let template: Promise<string> | undefined

/** Path of a migrated, closed database file. Copy it, never open it. */
export const migratedTemplate = (): Promise<string> => {
  template ??= makeTemplate()
  return template
}

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
