// Starting as a replica: which copy and which primary go together, and what is never removed.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
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
