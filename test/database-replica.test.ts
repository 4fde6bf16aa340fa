// Starting as a replica: which copy and which primary go together, and what is never removed.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { openHttpDatabase } from '../src/adapters/database-http'
import { openReplicaDatabase } from '../src/adapters/database-replica'
import { createPrimary } from '../src/adapters/primary'
import { failureOf, insertUser } from './contract/database'
import { type Sqld, startSqld } from './sqld'
import { migratedTemplate, newFolder } from './template'

let sqld: Sqld
beforeAll(async () => {
  sqld = await startSqld()
})
afterAll(() => sqld.stop())

const options = (path = join(newFolder(), 'replica.db')) => ({
  ...{ path, url: sqld.url, token: sqld.token('rw') },
  replicaToken: sqld.token('ro'),
})

test('a file that is no copy is refused and left as it is, whatever is in it', async () => {
  const foreign = join(newFolder(), 'notes.txt')
  await Bun.write(foreign, 'notes')
  expect(await failureOf(openReplicaDatabase(options(foreign)))).toContain('no copy of a primary')
  expect(await Bun.file(foreign).text()).toBe('notes')
})

test('the database of a node that was alone is another instance, and is left as it is', async () => {
  await (await openHttpDatabase(options())).close()
  const local = join(newFolder(), 'latchkey.db')
  copyFileSync(await migratedTemplate(), local)
  const before = await Bun.file(local).bytes()
  expect(await failureOf(openReplicaDatabase(options(local)))).toContain('another instance')
  expect(await Bun.file(local).bytes()).toEqual(before)
})

test('a copy belongs to one process', async () => {
  const mine = options()
  const db = await openReplicaDatabase(mine)
  expect(await failureOf(openReplicaDatabase(mine))).toStartWith('Another process has this database open')
  await db.close()
  await (await openReplicaDatabase(mine)).close()
})

test('a token that the primary does not take is told as such, and the copy is kept', async () => {
  const mine = options()
  await (await openReplicaDatabase(mine)).close()
  const token = `${mine.token.slice(0, -8)}AAAAAAAA`
  expect(await failureOf(openReplicaDatabase({ ...mine, token }))).toContain('status 401')
  expect(await Bun.file(mine.path).exists()).toBe(true)
})

/** As a copy that went back with its primary, or was made anew from another. */
const remember = (path: string, change: object) => {
  const known = JSON.parse(readFileSync(`${path}-seen`, 'utf8'))
  writeFileSync(`${path}-seen`, JSON.stringify({ ...known, ...change }))
  return known
}

test('what a node has seen of its primary outlives its copy: an older state or another instance is refused', async () => {
  const mine = options()
  const primary = createPrimary(mine)
  await (await openReplicaDatabase(mine)).close()
  const { seq, generation } = remember(mine.path, { seq: 1000 })
  expect(await failureOf(openReplicaDatabase(mine))).toContain('an older state than this node has seen')
  remember(mine.path, { seq, generation: generation + 1 })
  expect(await failureOf(openReplicaDatabase(mine))).toContain('an older state than this node has seen')
  const { instance } = remember(mine.path, { generation, instance: 'another' })
  expect(await failureOf(openReplicaDatabase(mine))).toContain('another instance')
  remember(mine.path, { instance: 'ins', seq: 1000 })
  const away = { ...mine, url: 'http://127.0.0.1:1' }
  expect(await failureOf(openReplicaDatabase(away))).toContain('not what this node has seen')
  remember(mine.path, { instance, seq })
  await (await openReplicaDatabase(away)).close()
  await primary.batch([{ sql: "insert into revocations (subject, created_at) values ('user:x', 1)", args: [] }])
  await (await openReplicaDatabase(mine)).close()
  expect(remember(mine.path, {}).seq).toBe(seq + 1)
})

test('a node without its copy is a fresh one, and one of an earlier generation copies anew', async () => {
  const mine = options()
  await (await openReplicaDatabase(mine)).close()
  remember(mine.path, { seq: 1000 })
  rmSync(mine.path)
  await (await openReplicaDatabase(mine)).close()
  const { seq, generation } = remember(mine.path, { seq: 1000, generation: 0 })
  await (await openReplicaDatabase(mine)).close()
  expect(remember(mine.path, {})).toMatchObject({ seq, generation })
})

test('what others write shows here in a moment', async () => {
  const db = await openReplicaDatabase(options())
  const primary = createPrimary(options())
  const count = async () => (await db.orm.values<[number]>(sql`select count(*) from users`))[0]![0]
  const before = await count()
  await primary.batch([insertUser('someone')])
  const giveUpAt = performance.now() + 5000
  let after = before
  while (after === before && performance.now() < giveUpAt) {
    await Bun.sleep(5)
    after = await count()
  }
  expect(after).toBe(before + 1)
  await db.close()
})
