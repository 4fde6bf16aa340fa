// What a restore puts in place: an older version's backup brought up to date, nothing over what came meanwhile, no good object for a bad one.
import { beforeAll, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Libsql from 'libsql'
import { migrate, type Send } from '../db/migrate'
import { migrations } from '../db/migrations/index'
import { systemClock } from '../src/adapters/clock'
import { readMasterKeys } from '../src/adapters/master-key-file'
import { createPrimary } from '../src/adapters/primary'
import { createArchive } from '../src/backup/archive'
import type { House } from '../src/backup/backup'
import { createBackupFile } from '../src/backup/file'
import { fillPrimary } from '../src/backup/fill'
import { createFolderPlace, type Source } from '../src/backup/place'
import { restoreBackup } from '../src/backup/restore'
import { factsOf } from '../src/backup/snapshot'
import type { Row, Value } from '../src/ports'
import { cli, emptyFor, newBackup } from './backup-house'
import { startSqld } from './sqld'
import { migratedTemplate, newFolder } from './template'

let one: Awaited<ReturnType<typeof newBackup>>['one']
let file: string
beforeAll(async () => {
  ;({ one, file } = await newBackup())
})

const houseAt = (folder: string): House => ({
  folder,
  database: { kind: 'local', path: join(folder, 'latchkey.db') },
  media: { kind: 'included', folder: join(folder, 'media') },
})
const opening = () => ({
  identity: null,
  master: readMasterKeys({ kind: 'file', path: join(one.folder, 'master.key') }),
  clock: systemClock,
})
const open = (path: string) => createFolderPlace(dirname(path)).open(basename(path))
const rows = (path: string, sql: string) => {
  const db = new Libsql(path)
  const found = db.prepare<never[]>(sql).all() as Row[]
  db.close()
  return found
}

/** A backup as the version made it that knew only so many migrations. */
const backupOfOlder = async (known: number) => {
  const path = join(newFolder(), 'latchkey.db')
  const db = new Libsql(path)
  const send: Send = async (statements) =>
    statements.map(({ sql, args }) => {
      const query = db.prepare<Value[][]>(sql)
      return query.reader
        ? { rows: query.all(args as Value[]) as unknown as Row[], changes: 0 }
        : { rows: [], changes: query.run(args as Value[]).changes }
    })
  await migrate(send, migrations.slice(0, known))
  db.exec("insert into revocations (subject, created_at) values ('kept', 1)")
  db.close()
  const made = join(newFolder(), 'older.backup')
  const sink = await createBackupFile(await createFolderPlace(dirname(made)).create(basename(made), 1), null)
  const archive = createArchive(sink)
  await archive.header({ version: 'older', createdAt: 1, ...factsOf(path), mediaAt: null })
  const bytes = readFileSync(path)
  const read = async (into: Uint8Array, at: number) => bytes.copy(into, 0, at)
  await archive.add({ name: 'database', size: statSync(path).size }, read)
  await archive.end()
  await sink.publish()
  return made
}

test.each(migrations.map(({ name }, i) => [name, i] as const).slice(1))(
  'a backup from before %s is restored, and brought up to date with all it held',
  async (_, known) => {
    const house = houseAt(emptyFor(one.folder))
    const { header } = await restoreBackup(await open(await backupOfOlder(known)), house, opening())
    expect(header.migrations).toHaveLength(known)
    const path = join(house.folder, 'latchkey.db')
    expect(rows(path, 'select name from migrations order by name').map(({ name }) => name)).toEqual(
      migrations.map(({ name }) => name).toSorted(),
    )
    expect(rows(path, "select subject from revocations where subject = 'kept'")).toHaveLength(1)
    const schema = "select name, sql from sqlite_schema where name not like 'sqlite%' order by name"
    expect(rows(path, schema)).toEqual(rows(await migratedTemplate(), schema))
  },
)

test('a database that came while the backup was taken apart is left as it is', async () => {
  const house = houseAt(emptyFor(one.folder))
  const path = join(house.folder, 'latchkey.db')
  const { size, bytes } = await open(file)
  const late: Source = {
    size,
    bytes: (async function* () {
      try {
        yield* bytes
      } finally {
        writeFileSync(path, 'of another restore')
      }
    })(),
  }
  await expect(restoreBackup(late, house, opening())).rejects.toThrow('There is data already')
  expect(readFileSync(path, 'utf8')).toBe('of another restore')
})

test('a good object that is there is not replaced by the damaged one of the backup, nor missed where that has none', async () => {
  const from = emptyFor(one.folder)
  expect(await cli(from, ['restore', file])).toMatchObject({ code: 0 })
  const objects = rows(join(from, 'latchkey.db'), 'select blob from media order by size').map(({ blob }) =>
    join('media/objects', String(blob)),
  ) as [string, string]
  const [good, missed] = objects.map((object) => readFileSync(join(from, object))) as [Buffer, Buffer]
  writeFileSync(join(from, objects[0]), new Uint8Array(good.length))
  writeFileSync(join(from, objects[1]), '')
  const damaged = join(newFolder(), 'damaged.backup')
  expect((await cli(from, ['backup', damaged])).said).toContain('0 of 2 media')
  const folder = emptyFor(one.folder)
  mkdirSync(join(folder, 'media/objects'), { recursive: true })
  writeFileSync(join(folder, objects[0]), good)
  writeFileSync(join(folder, objects[1]), missed)
  expect(await cli(folder, ['restore', damaged])).toMatchObject({ code: 0 })
  for (const [i, bytes] of [good, missed].entries())
    expect(readFileSync(join(folder, objects[i]!)).equals(bytes)).toBe(true)
}, 60_000)

test('of two that fill the same primary the earlier drops nothing once the later has taken it', async () => {
  const sqld = await startSqld()
  const token = sqld.token('rw')
  const primary = createPrimary({ url: sqld.url, token })
  const send = (sql: string) => primary.batch([{ sql, args: [] }])
  await send(
    'create table migrations (name text primary key not null, sha256 text not null, applied_at integer not null)',
  )
  await send("insert into migrations values ('restore under way', 'of the first', 0)")
  await send('create table filled (id text)')
  const between = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const body = await request.text()
      if (body.includes('drop table')) await send("update migrations set sha256 = 'of the later'")
      const { headers, method } = request
      const answer = await fetch(`${sqld.url}/v3/pipeline`, { method, headers, body })
      return new Response(await answer.text(), { status: answer.status })
    },
  })
  try {
    const filling = fillPrimary(await migratedTemplate(), { url: between.url.origin, token })
    await expect(filling).rejects.toThrow('The primary did not take all of it')
    expect(await primary.read('select count(*) from filled', [])).toEqual([[0]])
  } finally {
    await between.stop(true)
    await sqld.stop()
  }
}, 30_000)
