// An empty primary filled with a database file, in bounded batches over HTTP; no node starts on it before the last of them.
import Libsql from 'libsql'
import { restoring } from '../../db/migrate'
import { createPrimary } from '../adapters/primary'
import { randomBase62 } from '../lib/id'
import type { Outcome, Statement, Value } from '../ports'
import { outOfReach } from './snapshot'

type Read = (sql: string) => Promise<Value[][]>
type Send = (statements: readonly Statement[]) => Promise<Outcome[]>

const timeoutMs = 60_000
const maxBatchBytes = 512 * 1024
const rowsAtOnce = 50
const cellBytes = 40

const plain = (sql: string, ...args: Value[]): Statement => ({ sql, args })

const schemaSql = (types: string) =>
  `select name, sql from sqlite_schema where type in (${types}) and sql is not null and name not like 'sqlite~_%' escape '~' and name not like 'libsql~_%' escape '~' order by rowid`

type Made = { name: string; sql: string }
const madeOf = (file: Libsql.Database, types: string) => file.prepare<never[]>(schemaSql(types)).all() as Made[]

/** Tables such that each comes after those it refers to. */
const inOrder = (file: Libsql.Database, tables: readonly Made[]): Made[] => {
  const parents = file.prepare<[string]>('select "table" as name from pragma_foreign_key_list(?)')
  const ordered = new Set<Made>()
  const add = (table: Made) => {
    for (const { name } of parents.all(table.name) as { name: string }[])
      if (name !== table.name) add(tables.find((it) => it.name === name)!)
    ordered.add(table)
  }
  for (const table of tables) add(table)
  return [...ordered]
}

/** The tables there are, none in an empty primary, and whether a restore left them half filled. */
const lookInto = async (read: Read): Promise<{ names: string[]; isHalf: boolean }> => {
  const names = (await read(schemaSql("'table'"))).map(([name]) => String(name))
  const mark = `select 1 from migrations where name = '${restoring}'`
  return { names, isHalf: names.includes('migrations') && (await read(mark)).length > 0 }
}

/** @throws Error, as a sentence, when the primary has data or is out of reach. */
export const assertVacant = async (at: { url: string; token: string }): Promise<void> => {
  const { read } = createPrimary(at)
  const { names, isHalf } = await lookInto((sql) => read(sql, [])).catch(() => {
    throw outOfReach()
  })
  if (names.length > 0 && !isHalf)
    throw new Error('The primary has data already: a backup is restored into an empty one.')
}

/** Takes an empty primary, or one that was left half filled, for this run alone. Gives the tables that are left there. */
const claim = async (read: Read, send: Send, migrationsTable: string, run: string): Promise<string[]> => {
  const { names, isHalf } = await lookInto(read)
  if (isHalf) await send([plain('update migrations set sha256 = ? where name = ?', run, restoring)])
  else await send([plain(migrationsTable), plain('insert into migrations values (?, ?, 0)', restoring, run)])
  return names.filter((name) => name !== 'migrations')
}

/** The rows of a table as inserts of some rows each, with about how large they are. */
function* insertsOf(file: Libsql.Database, table: string): Generator<{ insert: Statement; bytes: number }> {
  const columns = file.prepare<[string]>('select name from pragma_table_info(?)').all(table) as { name: string }[]
  const names = columns.map(({ name }) => `"${name}"`).join()
  const marks = `(${columns.map(() => '?').join()})`
  const rows = file.prepare<never[]>(`select ${names} from "${table}"`).raw(true).iterate()
  let [args, bytes]: [Value[], number] = [[], 0]
  const taken = () => {
    const values = Array(args.length / columns.length).fill(marks)
    const insert = plain(`insert into "${table}" (${names}) values ${values.join()}`, ...args)
    const result = { insert, bytes }
    ;[args, bytes] = [[], 0]
    return result
  }
  for (const row of rows as unknown as Iterable<Value[]>) {
    args.push(...row)
    for (const cell of row)
      bytes += cellBytes + (typeof cell === 'string' ? cell.length : ((cell as Uint8Array)?.length ?? 0))
    if (args.length >= rowsAtOnce * columns.length || bytes > maxBatchBytes) yield taken()
  }
  if (args.length > 0) yield taken()
}

const copyRows = async (file: Libsql.Database, table: string, send: Send): Promise<void> => {
  let [batch, size]: [Statement[], number] = [[], 0]
  for (const { insert, bytes } of insertsOf(file, table)) {
    if (batch.length > 0 && size + bytes > maxBatchBytes) {
      await send(batch)
      ;[batch, size] = [[], 0]
    }
    batch.push(insert)
    size += bytes
  }
  if (batch.length > 0) await send(batch)
}

const countOf = (file: Libsql.Database, table: string) =>
  (file.prepare<never[]>(`select count(*) as n from "${table}"`).get() as unknown as { n: number }).n

// What makes it a database of ours goes last, all at once.
const last = ['meta', 'migrations', 'sqlite_sequence']

const copyAll = async (file: Libsql.Database, read: Read, send: Send): Promise<void> => {
  const tables = inOrder(file, madeOf(file, "'table'")).filter(({ name }) => name !== 'migrations')
  const create = (types: string) => madeOf(file, types).map(({ sql }) => plain(sql))
  await send([...tables.map(({ sql }) => plain(sql)), ...create("'index'")])
  const filled = tables.map(({ name }) => name).filter((name) => !last.includes(name))
  for (const table of filled) await copyRows(file, table, send)
  for (const table of filled) {
    const [[count] = []] = await read(`select count(*) from "${table}"`)
    if (count !== countOf(file, table)) throw new Error('other rows than were sent')
  }
  const rows = last.flatMap((table) => [...insertsOf(file, table)].map(({ insert }) => insert))
  await send([
    ...create("'trigger', 'view'"),
    plain('delete from sqlite_sequence'),
    plain('delete from migrations'),
    ...rows,
  ])
}

/**
 * Brings the database in the file at `path` to a primary that has none. Cut short, it is begun anew by the next call.
 * @throws Error, as a sentence, when it did not take all; then no node starts on what it holds.
 */
export const fillPrimary = async (path: string, at: { url: string; token: string }): Promise<void> => {
  const primary = createPrimary({ ...at, timeoutMs })
  const read: Read = (sql) => primary.read(sql, [])
  const send: Send = async (statements) => (await primary.batch(statements)).outcomes
  const run = randomBase62(16)
  // Of two that fill the same primary the later one goes on.
  const ours = plain(
    'insert into migrations select null, null, null where not exists (select 1 from migrations where name = ? and sha256 = ?)',
    ...[restoring, run],
  )
  const file = new Libsql(path)
  try {
    const [migrations] = madeOf(file, "'table'").filter(({ name }) => name === 'migrations')
    const fill = async () => {
      const left = await claim(read, send, migrations!.sql, run)
      const sendOurs: Send = (statements) => send([ours, ...statements])
      // Made in an order in which each comes after those it refers to.
      for (const name of left.reverse()) await sendOurs([plain(`drop table "${name}"`)])
      await copyAll(file, read, sendOurs)
    }
    await fill().catch((cause: unknown) => {
      throw new Error('The primary did not take all of it, and no node starts on what it has: restore again.', {
        cause,
      })
    })
  } finally {
    file.close()
  }
}
