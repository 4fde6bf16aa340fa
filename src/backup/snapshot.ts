// A database file read from beside its server: its copy at one instant, and what a backup says of it.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Libsql from 'libsql'
import { lockProcess } from '../adapters/database-libsql'
import type { Header } from './archive'

type Facts = Omit<Header, 'version' | 'createdAt'>
export type Medium = { id: string; blob: string; size: number; sha256: string }

const withFile = <T>(path: string, work: (file: Libsql.Database) => T): T => {
  const file = new Libsql(path)
  try {
    return work(file)
  } finally {
    file.close()
  }
}
const rowsOf = <T>(file: Libsql.Database, sql: string) => file.prepare<never[]>(sql).all() as T[]

/** What a database says of itself. It must be a copy that nobody else has open. */
export const factsOf = (path: string): Facts =>
  withFile(path, (file) => {
    const meta = new Map(
      rowsOf<{ name: string; value: string }>(file, 'select * from meta').map((r) => [r.name, r.value]),
    )
    const tables = rowsOf<{ name: string }>(
      file,
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite~_%' escape '~' order by name",
    )
    const count = (name: string) => rowsOf<{ n: number }>(file, `select count(*) as n from "${name}"`)[0]!.n
    const heads = createHash('sha256')
    for (const head of rowsOf(file, 'select * from audit_heads order by chain')) heads.update(JSON.stringify(head))
    const kids = rowsOf<{ kid: string }>(
      file,
      "select distinct substr(wrapped, 1, instr(wrapped, '.') - 1) as kid from program_keys order by kid",
    )
    return {
      instance: meta.get('instance_id') ?? '',
      generation: Number(meta.get('generation')),
      masterKids: kids.map(({ kid }) => kid),
      migrations: rowsOf<{ name: string }>(file, 'select name from migrations order by name').map(({ name }) => name),
      counts: Object.fromEntries(tables.map(({ name }) => [name, count(name)])),
      auditHeads: heads.digest('hex'),
    }
  })

const atOnce = 1000

/** The media that a copy of a database says is there, however many; what was deleted is left to be forgotten. */
export function* mediaOf(path: string): Generator<Medium> {
  const file = new Libsql(path)
  try {
    const next = file.prepare<[string, number]>(
      'select id, blob, size, sha256 from media where deleted_at is null and blob > ? order by blob limit ?',
    )
    for (let after = '', found: Medium[] = []; ; after = found.at(-1)!.blob) {
      found = next.all(after, atOnce) as Medium[]
      yield* found
      if (found.length < atOnce) return
    }
  } finally {
    file.close()
  }
}

/** Whether every page and index of a copy is sound. */
export const isSound = (path: string): boolean =>
  withFile(
    path,
    (file) => rowsOf<{ integrity_check: string }>(file, 'pragma integrity_check')[0]?.integrity_check === 'ok',
  )

/** The instance a database is of, also while it is served; null where there is none. */
export const instanceOf = (path: string): string | null =>
  existsSync(path)
    ? withFile(path, (file) => {
        file.exec('pragma query_only = on')
        return rowsOf<{ value: string }>(file, "select value from meta where name = 'instance_id'")[0]?.value ?? null
      })
    : null

const lockIfFree = (folder: string) => {
  try {
    return lockProcess(folder)
  } catch {
    return null
  }
}

const copyInto = (path: string, copy: string) => {
  // Nobody who serves it: then nobody may begin to while what a crash left in the WAL is taken up.
  const lock = lockIfFree(dirname(path))
  try {
    withFile(path, (file) => file.prepare<[string]>('vacuum into ?').run(copy))
  } finally {
    lock?.close()
  }
}

/**
 * Hands over a copy of the database at `path` as it is at one instant, and removes it afterwards. The server goes on: a
 * reader of a WAL holds up no writer, and the work is done in this process. One at a time.
 */
export const withSnapshot = async <T>(path: string, work: (copy: string) => Promise<T>): Promise<T> => {
  if (!existsSync(path)) throw new Error('There is no database to back up.')
  const folder = join(dirname(path), '.backup')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockIfFree(folder)
  if (lock === null) throw new Error('Another backup of this database is under way.')
  const copy = join(folder, 'latchkey.db')
  try {
    // What a backup that was killed left behind.
    rmSync(copy, { force: true })
    copyInto(path, copy)
    return await work(copy)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    lock.close()
  }
}
