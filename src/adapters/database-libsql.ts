// The database as a local file: one process, a writing connection and a read-only one, each with kept statements.
import { closeSync, existsSync, fdatasync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import Libsql from 'libsql'
import { migrate } from '../../db/migrate'
import { Failure } from '../errors'
import { createLru } from '../lib/lru'
import type { Database, Outcome, Row, Statement, Value } from '../ports'
import { createDatabase, type Link } from './database'
import { refused } from './database-errors'
import { demandRoom, freeBytes } from './disk-room'
import { demandFile, demandFolder } from './folder'
import { createGroups } from './group-commit'

const maxKeptStatements = 512
// Whoever had the file before may be letting go of it: its last connection takes all of it to close.
const letGoMs = 2000

const openLock = (path: string) => {
  demandFile(path)
  try {
    return new Libsql(path)
  } catch (cause) {
    throw new Error(`${path} cannot be opened.`, { cause })
  }
}

/**
 * Holds `lock.db` in `directory`, which is made if it is missing, until closed or until the process ends, however it
 * ends; null while another process does. @throws Error, as a sentence for the operator, where it cannot be used.
 */
export const lockIfFree = (directory: string) => {
  demandFolder(directory)
  const lock = openLock(join(directory, 'lock.db'))
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    return null
  }
}

/** @throws Error, as a sentence for the operator, while another process holds it. */
export const lockProcess = (directory: string) => {
  const lock = lockIfFree(directory)
  if (lock === null)
    throw new Error('Another process has this database open. Stop it first: a local database belongs to one process.')
  return lock
}

/** Integers as such: the driver would bind every number as a real. */
const toSql = (value: Value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value)

/** `columns`: the names of those that it gives, where it gives rows. */
type Prepared = { query: Libsql.Statement<Value[][]>; columns: readonly string[] | undefined }

/** A connection that keeps its statements by their text. Nothing is asked of it once closed: the driver would abort. */
const openConnection = (path: string, pragmas: string) => {
  const connection = new Libsql(path)
  connection.exec(pragmas)
  const kept = createLru<string, Prepared>(maxKeptStatements)
  const prepare = (sql: string): Prepared => {
    let known = kept.get(sql)
    if (known === undefined) {
      const query = connection.prepare<Value[][]>(sql)
      const columns = query.reader ? query.raw(true).columns() : undefined
      known = { query, columns: columns?.map(({ name }) => name) }
      kept.set(sql, known)
    }
    return known
  }
  const checkOpen = () => {
    if (!connection.open) throw new Failure('unavailable')
  }
  return { connection, prepare, checkOpen }
}

/** A connection that only reads the file at `path`, with kept statements. `written`: when what can be read may be told. */
export const openReader = (path: string, written: () => Promise<void> | null = () => null) => {
  const { connection, prepare, checkOpen } = openConnection(path, 'pragma query_only = on')
  const read: Link['read'] = async (sql, args) => {
    checkOpen()
    let rows: Value[][]
    try {
      rows = prepare(sql).query.all(args.map(toSql) as Value[]) as Value[][]
    } catch (error) {
      throw refused(error)
    }
    await written()
    return rows
  }
  return { read, close: () => connection.close() }
}

const openWriter = ({ path, syncFile = promisify(fdatasync), halt = () => {} }: Options) => {
  // What is deleted is overwritten: a workspace's key must not outlive it in the file. 8 MiB of pages are kept.
  const pragmas = [
    ...[`busy_timeout = ${letGoMs}`, 'journal_mode = wal', 'synchronous = normal', 'foreign_keys = on'],
    ...['secure_delete = on', 'cache_size = -8192'],
  ]
  const { connection, prepare, checkOpen } = openConnection(path, pragmas.map((it) => `pragma ${it}`).join('; '))

  const run = ({ sql, args }: Statement): Outcome => {
    const { query, columns } = prepare(sql)
    const values = args.map(toSql) as Value[]
    if (!columns) return { rows: [], changes: query.run(values).changes }
    const rows = query.all(values) as Value[][]
    const named = rows.map((row): Row => Object.fromEntries(columns.map((name, i) => [name, row[i]!])))
    return { rows: named, changes: rows.length }
  }
  // What a process before this one left in the log may not be on the disk. There is a log once something was asked.
  connection.exec('pragma wal_checkpoint(truncate); begin immediate; commit; pragma busy_timeout = 0')
  const log = openSync(`${path}-wal`, 'r')
  const groups = createGroups(connection, run, () => syncFile(log), halt)

  const batch: Link['batch'] = (statements, whenMade = () => {}) =>
    new Promise((resolve, reject) => {
      checkOpen()
      const made = (outcomes: Outcome[]) => {
        whenMade()
        resolve(outcomes)
      }
      groups.add({ statements, resolve: made, reject })
    })

  const close = async () => {
    await groups.end()
    closeSync(log)
    // Kept statements keep the file from being checkpointed when its last connection closes.
    connection.exec('pragma wal_checkpoint(truncate)')
    connection.close()
  }
  return { batch, close, written: groups.written }
}

// On a full disk a write of one page may still find a place, where the next ones do not.
const leastFreeBytes = 4 * 1024 * 1024
const roomFor = (path: string) => demandRoom(freeBytes(dirname(path)), leastFreeBytes)

/** The folder in which a restore works, beside the database it will put in place. */
export const unfinishedRestore = '.restore'

/** Brings what was written to an open file to the disk. */
type SyncFile = (fd: number) => Promise<void>
/** `halt`: told why nothing can be written any more until the file is opened anew. */
type Options = { path: string; syncFile?: SyncFile; halt?: (why: string) => void }

/**
 * Opens the file at `path`, making and migrating it if need be. An acknowledged batch survives a crash.
 * @throws Error, as a sentence for the operator, when another process has it open, a migration was changed, or it is
 * still to be restored.
 */
export const openLocalDatabase = async (options: Options): Promise<Database> => {
  const { path } = options
  if (!existsSync(path) && existsSync(join(dirname(path), unfinishedRestore)))
    throw new Error(
      'A restore into this folder has not ended: let it end, run it again, or remove the folder .restore, and .restore-media where media is kept.',
    )
  const lock = lockProcess(dirname(path))
  try {
    for (const end of ['', '-wal', '-shm']) demandFile(path + end)
    const writer = openWriter(options)
    await migrate(writer.batch)
    const reader = openReader(path, writer.written)
    const close = async () => {
      reader.close()
      await writer.close()
      lock.close()
    }
    const link = { read: reader.read, batch: writer.batch, demandRoom: () => roomFor(path), close }
    return createDatabase(link, { kind: 'alone' })
  } catch (error) {
    lock.close()
    throw error
  }
}
