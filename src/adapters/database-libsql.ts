// The database as a local file: one process, a writing connection and a read-only one, each with kept statements.
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Libsql from 'libsql'
import { migrate } from '../../db/migrate'
import { Failure } from '../errors'
import { createLru } from '../lib/lru'
import type { Database, Outcome, Row, Statement, Value } from '../ports'
import { createDatabase, type Link } from './database'
import { databaseError } from './database-errors'
import { demandRoom, freeBytes } from './disk-room'

const maxKeptStatements = 512

/** Holds `lock.db` in `directory` until closed or until the process ends, however it ends; null while another process does. */
export const lockIfFree = (directory: string) => {
  const lock = new Libsql(join(directory, 'lock.db'))
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

const refused = (error: unknown, statements?: readonly Statement[], step?: number) => {
  if (!(error instanceof Error && 'code' in error)) return error
  return databaseError({ code: String(error.code), message: error.message, step }, statements)
}

/** `columns`: the names of those that it gives; null where it gives no rows. */
type Prepared = { query: Libsql.Statement<Value[][]>; columns: readonly string[] | null }

/** A connection that keeps its statements by their text. Nothing is asked of it once closed: the driver would abort. */
const openConnection = (path: string, pragmas: string) => {
  const connection = new Libsql(path)
  connection.exec(pragmas)
  const kept = createLru<string, Prepared>(maxKeptStatements)
  const prepare = (sql: string): Prepared => {
    let known = kept.get(sql)
    if (known === undefined) {
      const query = connection.prepare<Value[][]>(sql)
      const columns = query.reader ? query.raw(true).columns() : null
      known = { query, columns: columns && columns.map(({ name }) => name) }
      kept.set(sql, known)
    }
    return known
  }
  const checkOpen = () => {
    if (!connection.open) throw new Failure('unavailable')
  }
  return { connection, prepare, checkOpen }
}

/** A connection that only reads the file at `path`, with kept statements. */
export const openReader = (path: string) => {
  const { connection, prepare, checkOpen } = openConnection(path, 'pragma query_only = on')
  const read: Link['read'] = async (sql, args) => {
    checkOpen()
    try {
      return prepare(sql).query.all(args.map(toSql) as Value[]) as Value[][]
    } catch (error) {
      throw refused(error)
    }
  }
  return { read, close: () => connection.close() }
}

type Waiting = {
  statements: readonly Statement[]
  resolve: (outcomes: Outcome[]) => void
  reject: (error: unknown) => void
}

/** Batches that wait at the same time are committed together: one sync of the disk for all, each whole or not at all. */
const createGroups = (connection: Libsql.Database, run: (statement: Statement) => Outcome) => {
  let waiting: Waiting[] = []

  // BEGIN goes by exec: as a statement of its own it stays open after SQLITE_BUSY, and no later COMMIT would succeed
  // (the stock client: libsql-client-ts#352).
  const inTransaction = <T>(work: () => T): T => {
    try {
      connection.exec('begin immediate')
      const result = work()
      connection.exec('commit')
      return result
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      throw error
    }
  }

  /** Runs one batch within the transaction of its group, or leaves nothing of it there; gives how to settle it. */
  const attempt = ({ statements, resolve, reject }: Waiting): (() => void) => {
    let step: number | undefined
    try {
      connection.exec('savepoint batch')
      const outcomes = statements.map((statement, i) => {
        step = i
        return run(statement)
      })
      connection.exec('release batch')
      return () => resolve(outcomes)
    } catch (error) {
      // A full disk may have ended the transaction, and with it all of the group.
      if (!connection.inTransaction) throw error
      connection.exec('rollback to batch; release batch')
      return () => reject(refused(error, statements, step))
    }
  }

  const flush = () => {
    const group = waiting
    waiting = []
    if (group.length === 0) return
    try {
      for (const settle of inTransaction(() => group.map(attempt))) settle()
    } catch (error) {
      for (const { reject } of group) reject(refused(error))
    }
  }

  return {
    flush,
    add: (batch: Waiting) => {
      waiting.push(batch)
      if (waiting.length === 1) setImmediate(flush)
    },
  }
}

const openWriter = (path: string) => {
  // What is deleted is overwritten: a workspace's key must not outlive it in the file. 8 MiB of pages are kept.
  const pragmas = [
    ...['journal_mode = wal', 'synchronous = full', 'foreign_keys = on', 'secure_delete = on'],
    'cache_size = -8192',
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
  const groups = createGroups(connection, run)

  const batch: Link['batch'] = (statements, whenMade = () => {}) =>
    new Promise((resolve, reject) => {
      checkOpen()
      const made = (outcomes: Outcome[]) => {
        whenMade()
        resolve(outcomes)
      }
      groups.add({ statements, resolve: made, reject })
    })

  // Kept statements keep the file from being checkpointed when its last connection closes.
  const close = () => {
    groups.flush()
    connection.exec('pragma wal_checkpoint(truncate)')
    connection.close()
  }
  return { batch, close }
}

// On a full disk a write of one page may still find a place, where the next ones do not.
const leastFreeBytes = 4 * 1024 * 1024
const roomFor = (path: string) => demandRoom(freeBytes(dirname(path)), leastFreeBytes)

/** The folder in which a restore works, beside the database it will put in place. */
export const unfinishedRestore = '.restore'

/**
 * Opens the file at `path`, making and migrating it if need be. An acknowledged batch survives a crash.
 * @throws Error, as a sentence for the operator, when another process has it open, a migration was changed, or it is
 * still to be restored.
 */
export const openLocalDatabase = async ({ path }: { path: string }): Promise<Database> => {
  if (!existsSync(path) && existsSync(join(dirname(path), unfinishedRestore)))
    throw new Error(
      'A restore into this folder has not ended: let it end, run it again, or remove the folder .restore, and .restore-media where media is kept.',
    )
  mkdirSync(dirname(path), { recursive: true })
  const lock = lockProcess(dirname(path))
  try {
    const writer = openWriter(path)
    await migrate(writer.batch)
    const reader = openReader(path)
    const close = async () => {
      reader.close()
      writer.close()
      lock.close()
    }
    const link = { read: reader.read, batch: writer.batch, demandRoom: () => roomFor(path), close }
    return createDatabase(link, { kind: 'alone' })
  } catch (error) {
    lock.close()
    throw error
  }
}
