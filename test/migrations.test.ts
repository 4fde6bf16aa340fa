// Migrations: each once, in order, whole or not at all, also when several nodes start at once.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createClient, type InValue } from '@libsql/client'
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import Libsql from 'libsql'
import { migrate, type Send } from '../db/migrate'
import { migrations } from '../db/migrations/index'
import * as schema from '../db/schema'
import { createPrimary } from '../src/adapters/primary'
import type { Row } from '../src/ports'
import { failureOf } from './contract/database'
import { startSqld } from './sqld'
import { migratedTemplate, newFolder } from './template'

type Opened = { send: Send; close(): Promise<void> | void }

const openFile = async (): Promise<Opened> => {
  const client = createClient({ url: `file:${join(newFolder(), 'm.db')}`, concurrency: 1 })
  const send: Send = async (statements) => {
    const sent = statements.map(({ sql, args }) => ({ sql, args: args as InValue[] }))
    return (await client.batch(sent, 'write')).map(({ rows, rowsAffected }) => ({
      rows: rows as unknown as Row[],
      changes: rowsAffected,
    }))
  }
  return { send, close: () => client.close() }
}

const openPrimary = async (): Promise<Opened> => {
  const sqld = await startSqld()
  const primary = createPrimary({ url: sqld.url, token: sqld.token('rw') })
  return { send: async (statements) => (await primary.batch(statements)).outcomes, close: sqld.stop }
}

const one = { name: '0001_one', text: "create table one (x text);\ninsert into one values ('a');\n" }
const two = { name: '0002_two', text: "alter table one add column y text;\nupdate one set y = 'b; c';\n" }

describe.each([
  ['a local file', openFile],
  ['a primary', openPrimary],
] as const)('on %s', (_name, open) => {
  let opened: Opened
  const read = async (sql: string) => (await opened.send([{ sql, args: [] }]))[0]!.rows.map((row) => ({ ...row }))
  beforeEach(async () => {
    opened = await open()
  })
  afterEach(() => opened.close())

  test('what is missing is applied in order, and once', async () => {
    await migrate(opened.send, [one])
    await migrate(opened.send, [one, two])
    await migrate(opened.send, [one, two])
    expect(await read('select x, y from one')).toEqual([{ x: 'a', y: 'b; c' }])
    expect(await read('select name from migrations order by name')).toEqual([{ name: one.name }, { name: two.name }])
  })

  test('of eight nodes that start at once, one applies each and all go on', async () => {
    await Promise.all(Array.from({ length: 8 }, () => migrate(opened.send, [one, two])))
    expect(await read('select x, y from one')).toEqual([{ x: 'a', y: 'b; c' }])
  })

  test('one that fails leaves nothing behind, and says so', async () => {
    const bad = { name: '0002_bad', text: 'create table kept (x text);\ninsert into nowhere values (1);\n' }
    expect(await failureOf(migrate(opened.send, [one, bad]))).toContain('no such table: nowhere')
    expect(await read("select name from sqlite_schema where name = 'kept'")).toEqual([])
    await migrate(opened.send, [one, two])
  })

  test('one that a later version applied is refused with a sentence: what it changed is not known here', async () => {
    await migrate(opened.send, [one, two])
    expect(await failureOf(migrate(opened.send, [one]))).toStartWith('This database has the migration 0002_two, which')
    await migrate(opened.send, [one, two])
  })

  test('one that was changed after it was applied is refused with a sentence', async () => {
    await migrate(opened.send, [one])
    const changed = { ...one, text: `${one.text} ` }
    expect(await failureOf(migrate(opened.send, [changed, two]))).toStartWith('Migration 0001_one was changed after')
    expect(await read("select name from pragma_table_info('one')")).toEqual([{ name: 'x' }])
  })
})

test('the migrations of the program are in order, by names of their own', () => {
  const names = migrations.map(({ name }) => name)
  expect(names).toEqual([...new Set(names)].sort())
})

test('the schema says what the migrations make: each table, its columns as they are, and every index it names', async () => {
  const file = new Libsql(await migratedTemplate(), { readonly: true })
  const rows = (query: string) => file.prepare(query).all() as Record<string, unknown>[]
  const tables = Object.values(schema).flatMap((table) => (is(table, SQLiteTable) ? [getTableConfig(table)] : []))
  for (const { name, columns, indexes } of tables) {
    const made = rows(`select name, type, "notnull" as required from pragma_table_info('${name}')`)
    const said = columns.map((c) => ({
      ...{ name: c.name, type: c.getSQLType().toUpperCase(), required: Number(c.notNull || c.primary) },
    }))
    const byName = (a: { name?: unknown }, b: { name?: unknown }) => String(a.name).localeCompare(String(b.name))
    expect([name, ...made.sort(byName)]).toEqual([name, ...said.sort(byName)])
    const present = rows(`select name from pragma_index_list('${name}')`).map((index) => index.name)
    expect(present).toEqual(expect.arrayContaining(indexes.map((index) => index.config.name)))
  }
  const all = rows("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
  const known = [...tables.map(({ name }) => name), 'migrations']
  expect(all.map(({ name }) => String(name)).sort()).toEqual(known.sort())
  file.close()
})
