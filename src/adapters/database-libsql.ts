// The database as a local file: one process, one writer, and one read-only connection with kept statements.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createClient, type LibsqlBatchError, type ResultSet } from '@libsql/client'
import Libsql from 'libsql'
import { migrate } from '../../db/migrate'
import { createLru } from '../lib/lru'
import type { Database, Outcome, Row, Statement, Value } from '../ports'
import { createDatabase, type Link } from './database'
import { databaseError } from './database-errors'

const maxKeptStatements = 512

/** Integers as such: the driver would bind every number as a real. */
const toSql = (value: Value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value)

const fromSql = (value: unknown) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value) as Value

const newOutcome = ({ columns, rows, rowsAffected }: ResultSet): Outcome => ({
  rows: rows.map((row): Row => Object.fromEntries(columns.map((name, i) => [name, fromSql(row[i])]))),
  changes: rowsAffected || rows.length,
})

const refused = (error: unknown, statements?: readonly Statement[]) => {
  if (!(error instanceof Error && 'code' in error)) return error
  const { code, extendedCode, statementIndex } = error as unknown as Partial<LibsqlBatchError>
  return databaseError({ code: extendedCode ?? code ?? '', message: error.message, step: statementIndex }, statements)
}

/** Holds `lock.db` in `directory` until closed or until the process ends, however it ends. */
const lockProcess = (directory: string) => {
  const lock = new Libsql(join(directory, 'lock.db'))
  try {
    lock.exec('begin exclusive')
    return lock
  } catch {
    lock.close()
    throw new Error('Another process has this database open. Stop it first: a local database belongs to one process.')
  }
}

const openReader = (path: string) => {
  const connection = new Libsql(path)
  connection.exec('pragma query_only = on')
  const kept = createLru<string, Libsql.Statement<Value[][]>>(maxKeptStatements)
  const read: Link['read'] = async (sql, args) => {
    try {
      let query = kept.get(sql)
      if (query === undefined) {
        query = connection.prepare<Value[][]>(sql).raw(true)
        kept.set(sql, query)
      }
      return query.all(args.map(toSql) as Value[]) as Value[][]
    } catch (error) {
      throw refused(error)
    }
  }
  return { read, close: () => connection.close() }
}

const openWriter = async (path: string) => {
  // More than one connection, or a write outside a batch, may lose a write after SQLITE_BUSY (libsql-client-ts#352).
  const client = createClient({ url: pathToFileURL(path).href, concurrency: 1 })
  await client.executeMultiple('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  const batch: Link['batch'] = async (statements) => {
    try {
      const sent = statements.map(({ sql, args }) => ({ sql, args: args.map(toSql) }))
      return (await client.batch(sent as never, 'write')).map(newOutcome)
    } catch (error) {
      throw refused(error, statements)
    }
  }
  // Statements the driver still holds keep the file from being checkpointed when its last connection closes.
  const close = async () => {
    await client.execute('pragma wal_checkpoint(truncate)')
    client.close()
  }
  return { batch, close }
}

/**
 * Opens the file at `path`, making and migrating it if need be. An acknowledged batch survives a crash.
 * @throws Error, as a sentence for the operator, when another process has it open or a migration was changed.
 */
export const openLocalDatabase = async ({ path }: { path: string }): Promise<Database> => {
  mkdirSync(dirname(path), { recursive: true })
  const lock = lockProcess(dirname(path))
  try {
    const writer = await openWriter(path)
    await migrate(writer.batch)
    const reader = openReader(path)
    return createDatabase({
      read: reader.read,
      batch: writer.batch,
      close: async () => {
        reader.close()
        await writer.close()
        lock.close()
      },
    })
  } catch (error) {
    lock.close()
    throw error
  }
}
