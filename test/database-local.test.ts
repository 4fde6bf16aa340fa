// What holds for the local file alone: one process, nothing acknowledged is lost, and the schema is the database.
import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { count, is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import Libsql from 'libsql'
import * as schema from '../db/schema'
import { databaseError } from '../src/adapters/database-errors'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { Failure } from '../src/errors'
import { failureOf, insertUser } from './contract/database'
import { migratedTemplate, newFolder, newTestDatabase } from './template'

const inUse = 'Another process has this database open. Stop it first: a local database belongs to one process.'

/** Starts a writing process; `lines` gives what it says, from `open` on. */
const startWriter = (path: string, rows: number) => {
  const child = Bun.spawn([process.execPath, fileURLToPath(new URL('./writer.ts', import.meta.url)), path, `${rows}`], {
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const lines = async function* () {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of child.stdout) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = parts.pop()!
      yield* parts
    }
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return { lines: lines(), kill }
}

describe('one process', () => {
  test('a second opening is refused with a sentence, within a process', async () => {
    const { path, close } = await newTestDatabase()
    expect(await failureOf(openLocalDatabase({ path }))).toBe(inUse)
    await close()
  })

  test('and from another process, until that is killed', async () => {
    const path = join(newFolder(), 'latchkey.db')
    const writer = startWriter(path, 0)
    expect((await writer.lines.next()).value).toBe('open')
    expect(await failureOf(openLocalDatabase({ path }))).toBe(inUse)
    await writer.kill()
    const db = await openLocalDatabase({ path })
    await db.batch([insertUser('u')])
    await db.close()
  })

  test('a database that was closed opens again', async () => {
    const path = join(newFolder(), 'a b#c?d%25', 'latchkey.db')
    for (const expected of [0, 1]) {
      const db = await openLocalDatabase({ path })
      expect(await db.orm.select({ n: count() }).from(schema.users)).toEqual([{ n: expected }])
      await db.batch([insertUser(`u${expected}`)])
      await db.close()
      expect(await failureOf(db.batch([insertUser('late')]))).not.toBe('none')
    }
  })

  test('a file that somebody is letting go of is waited for', async () => {
    const path = join(newFolder(), 'latchkey.db')
    copyFileSync(await migratedTemplate(), path)
    const holding = `
      const file = new (require('libsql'))(process.argv.at(-1))
      file.exec('pragma journal_mode = wal; pragma locking_mode = exclusive; begin immediate; commit')
      process.stdout.write('held')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)`
    const holder = Bun.spawn([process.execPath, '-e', holding, path], { stdout: 'pipe', cwd: import.meta.dir })
    const said = await holder.stdout.getReader().read()
    expect(new TextDecoder().decode(said.value)).toBe('held')
    const db = await openLocalDatabase({ path })
    await db.batch([insertUser('later')])
    await db.close()
    expect(await holder.exited).toBe(0)
  })
})

describe('nothing is lost', () => {
  test('kill -9 during 200 writes: all that was acknowledged is there, and the next write stays', async () => {
    const path = join(newFolder(), 'latchkey.db')
    const writer = startWriter(path, 200)
    const acknowledged: string[] = []
    for await (const line of writer.lines) {
      if (line !== 'open') acknowledged.push(`row-${line}`)
      if (acknowledged.length >= 120) break
    }
    await writer.kill()
    const db = await openLocalDatabase({ path })
    const kept = new Set((await db.orm.select().from(schema.leases)).map(({ name }) => name))
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([])
    await db.batch([insertUser('next')])
    await db.close()
    const again = await openLocalDatabase({ path })
    expect(await again.orm.select({ id: schema.users.id }).from(schema.users)).toEqual([{ id: 'next' }])
    await again.close()
  })

  test('of batches that come at once, one that fails takes none with it, and each says its own failure', async () => {
    const { db, close } = await newTestDatabase()
    const failing = [insertUser('half'), { ...insertUser('twice'), orElse: new Failure('not_found') }]
    await db.batch([insertUser('twice')])
    const all = Array.from({ length: 32 }, (_, i) => db.batch(i === 16 ? failing : [insertUser(`u${i}`)]))
    const failures = await Promise.all(all.map(failureOf))
    expect(failures).toEqual(Array.from({ length: 32 }, (_, i) => (i === 16 ? 'not_found' : 'none')))
    const kept = (await db.orm.select({ id: schema.users.id }).from(schema.users)).map(({ id }) => id)
    expect([kept.length, kept.includes('half')]).toEqual([32, false])
    await close()
  })

  test('what was still waiting when the database closes is written first', async () => {
    const { db, path, close } = await newTestDatabase()
    const writing = db.batch([insertUser('late')])
    await db.close()
    await writing
    expect(new Libsql(path).prepare('select id from users').raw(true).all([]) as unknown).toEqual([['late']])
    await close().catch(() => {})
  })

  test('a write that finds the file locked is unavailable, and the one after it is kept', async () => {
    const { db, path, close } = await newTestDatabase()
    const intruder = new Libsql(path)
    intruder.exec('begin immediate')
    expect(await failureOf(db.batch([insertUser('refused')]))).toBe('unavailable')
    expect(await failureOf(db.check())).toBe('unavailable')
    intruder.exec('rollback')
    await db.batch([insertUser('kept')])
    const seen = new Libsql(path).prepare('select id from users').raw(true).all([])
    expect(seen as unknown).toEqual([['kept']])
    intruder.close()
    await close()
  })

  test('a full disk is said to be one', () => {
    const small = new Libsql(':memory:')
    small.exec('pragma max_page_count = 2; create table t (x)')
    try {
      small.exec('insert into t values (zeroblob(100000))')
      expect.unreachable()
    } catch (error) {
      const { code, message } = error as Error & { code: string }
      expect(databaseError({ code, message })).toMatchObject({ code: 'disk_full' })
    }
  })
})

describe('the schema is the database', async () => {
  const path = join(newFolder(), 'latchkey.db')
  copyFileSync(await migratedTemplate(), path)
  const connection = new Libsql(path)
  const ask = <T>(text: string) => connection.prepare(text).all([]) as T[]
  const tables = Object.values(schema)
    .filter((table) => is(table, SQLiteTable))
    .map((table) => getTableConfig(table))

  test('no table is missing on either side', () => {
    const names = ask<{ name: string }>("select name from sqlite_schema where type = 'table'").map((row) => row.name)
    const own = names.filter((name) => !name.startsWith('sqlite_') && name !== 'migrations')
    expect(own.sort()).toEqual(tables.map((table) => table.name).sort())
  })

  test.each(tables.map((table) => [table.name, table] as const))('%s has the columns it says', (name, table) => {
    const primary = table.primaryKeys[0]?.columns.map((c) => c.name)
    const expected = table.columns.map((c) => ({
      name: c.name,
      type: c.getSQLType().toUpperCase(),
      notnull: Number(c.notNull),
      pk: primary ? primary.indexOf(c.name) + 1 : Number(c.primary),
      hasDefault: c.default !== undefined,
    }))
    type Info = { name: string; type: string; notnull: number; pk: number; dflt_value: string | null }
    const found = ask<Info>(`pragma table_info(${name})`)
    expect(
      found.map(({ name, type, notnull, pk, dflt_value }) => ({
        name,
        type,
        notnull,
        pk,
        hasDefault: dflt_value !== null,
      })),
    ).toEqual(expected)
  })

  test.each(tables.map((table) => [table.name, table] as const))('%s has the indexes it says', (name, table) => {
    const found = ask<{ name: string; unique: number }>(`pragma index_list(${name})`)
    for (const { config } of table.indexes) {
      const columns = ask<{ name: string }>(`pragma index_info(${config.name})`).map((row) => row.name)
      expect({ unique: Boolean(found.find((i) => i.name === config.name)?.unique), columns }).toEqual({
        unique: config.unique,
        columns: config.columns.map((c) => (c as { name: string }).name),
      })
    }
  })
})
