// What a backup holds and a restore ends, whatever tables there come to be: sealed media, uploads under way, master keys, generations.
import { expect, test } from 'bun:test'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import type { Header } from '../src/backup/archive'
import { endWhatWasOpen } from '../src/backup/end'
import { factsOf, mediaTables } from '../src/backup/snapshot'
import { cli, emptyFor, newInstance, serve } from './backup-house'
import { newTestClock } from './clock'
import { bearer } from './story'
import { migratedTemplate, newFolder } from './template'

type Rows = Record<string, unknown>[]
const ask = (path: string, sql: string): Rows => {
  const file = new Libsql(path)
  const found = file.prepare<never[]>(sql).all() as Rows
  file.close()
  return found
}
const run = (path: string, sql: string) => {
  const file = new Libsql(path)
  file.exec(sql)
  file.close()
}
const migrated = async () => {
  const path = join(newFolder(), 'latchkey.db')
  copyFileSync(await migratedTemplate(), path)
  return path
}

test('every table that names a stored object is one whose objects are backed up, or an upload that ends', async () => {
  const columns =
    "select s.name from sqlite_schema s, pragma_table_info(s.name) c where s.type = 'table' and c.name = 'blob'"
  const named = ask(await migrated(), columns).map(({ name }) => String(name))
  expect(named.toSorted()).toEqual([...Object.keys(mediaTables), 'uploads'].toSorted())
})

test('it counts every table there is, and names each master key that anything is wrapped by', async () => {
  const path = await migrated()
  run(
    path,
    `create table later (id text primary key, wrapped text not null);
     insert into later values ('a', 'later.sealed');
     insert into program_keys values ('k', 'session', 'first.sealed', 1);
     insert into workspace_keys values (1, 'media', 'w', 'second.sealed', 1)`,
  )
  const { counts, masterKids } = factsOf(path)
  expect(masterKids).toEqual(['first', 'later', 'second'])
  const tables = ask(path, "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'")
  expect(Object.keys(counts).toSorted()).toEqual(tables.map(({ name }) => String(name)).toSorted())
  expect(counts.later).toBe(1)
})

test('uploads under way end, and what they had taken from the quota is given back', async () => {
  const path = await migrated()
  const upload = (id: string, length: number, media: string | null) =>
    `insert into uploads (workspace_id, id, project_id, name, declared_type, length, offset, lease_until, created_by, created_at, expires_at, media_id)
     values (1, '${id}', 'p', 'n', 't', ${length}, 0, 0, 'u', 1, 2, ${media === null ? 'null' : `'${media}'`})`
  run(
    path,
    `pragma foreign_keys = off;
     insert into quotas values (1, 'storage_bytes', '', 5000), (2, 'storage_bytes', '', 70), (1, 'requests', '2030-01', 9);
     ${upload('a', 1000, null)}; ${upload('b', 200, null)}; ${upload('c', 300, 'med_1')}`,
  )
  const db = await openLocalDatabase({ path })
  const header = { createdAt: 1, generation: 1 } as Header
  await endWhatWasOpen(db, newTestClock(), header)
  await db.close()
  expect(ask(path, 'select count(*) as n from uploads')).toEqual([{ n: 0 }])
  expect(ask(path, 'select workspace_id as w, resource, used from quotas order by 1, 2')).toEqual([
    { w: 1, resource: 'requests', used: 9 },
    { w: 1, resource: 'storage_bytes', used: 3800 },
    { w: 2, resource: 'storage_bytes', used: 70 },
  ])
})

test('each restore is of a later generation, also of the same backup, and after a clock that ran ahead', async () => {
  const clock = newTestClock()
  const restore = async (generation: number) => {
    const path = await migrated()
    const db = await openLocalDatabase({ path })
    await endWhatWasOpen(db, clock, { createdAt: 1, generation } as Header)
    await db.close()
    return Number(ask(path, "select value from meta where name = 'generation'")[0]!.value)
  }
  const first = await restore(1)
  clock.advance(1)
  const second = await restore(1)
  expect(second).toBeGreaterThan(first)
  expect(await restore(second + 10 ** 6)).toBe(second + 10 ** 6 + 1)
})

test('sealed media is backed up sealed, comes back, and is told where it does not open any more', async () => {
  const on = { LATCHKEY_MEDIA_ENCRYPTION: 'on' }
  const one = await newInstance(on)
  await one.stop()
  const [file, altered] = [join(newFolder(), 'a.backup'), join(newFolder(), 'b.backup')]
  expect((await cli(one.folder, ['backup', file])).code).toBe(0)
  expect(readFileSync(file).includes(one.bytes[0]!.subarray(0, 64))).toBe(false)
  const folder = emptyFor(one.folder)
  expect((await cli(folder, ['restore', file])).said).toContain('media objects: 2 of 2')
  expect((await cli(folder, ['keys', 'confirm', '--all'])).code).toBe(0)
  const { send, stop } = await serve(folder)
  for (const [i, { id }] of one.media.entries()) {
    const answer = await send('GET', `/media/${id}`, { headers: bearer(one.keys[0].token) })
    expect(Buffer.from(await answer.arrayBuffer()).equals(one.bytes[i]!)).toBe(true)
  }
  await stop()
  const [medium] = ask(join(one.folder, 'latchkey.db'), 'select id, blob from media order by size limit 1')
  const object = join(one.folder, 'media/objects', String(medium!.blob))
  const bytes = readFileSync(object)
  bytes[30]! ^= 1
  writeFileSync(object, bytes)
  const told = await cli(one.folder, ['backup', altered])
  expect(told.code).toBe(1)
  expect(told.said).toContain(`${medium!.id}: its bytes cannot be read, or are not those that were uploaded`)
  expect(told.said).toContain('1 of 2 media')
  const drill = await cli(one.folder, ['drill', altered])
  expect(drill.code).toBe(1)
  expect(drill.said).toContain(`${medium!.id}: its bytes are not those that were uploaded`)
}, 60_000)
