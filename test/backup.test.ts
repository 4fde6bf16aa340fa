// Backups: what is backed up under load comes back whole and ends what was open; what does not hold is refused in words.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Libsql from 'libsql'
import { createFolderPlace } from '../src/backup/place'
import { cli, emptyFor, newInstance, newPair, serve, spawnCli } from './backup-house'
import { bearer } from './story'
import { newFolder } from './template'

let one: Awaited<ReturnType<typeof newInstance>>
const archives: Record<'plain' | 'sealed', string> = { plain: '', sealed: '' }

const pair = newPair()

const backUp = async (folder: string, env = {}) => {
  const file = join(newFolder(), 'a.backup')
  expect(await cli(folder, ['backup', file], env)).toMatchObject({ code: 0 })
  return file
}
const rows = (folder: string, sql: string) => {
  const file = new Libsql(join(folder, 'latchkey.db'))
  const found = file.prepare<never[]>(sql).all() as Record<string, unknown>[]
  file.close()
  return found
}

beforeAll(async () => {
  one = await newInstance()
  archives.plain = await backUp(one.folder)
  archives.sealed = await backUp(one.folder, { LATCHKEY_BACKUP_RECIPIENT: pair.LATCHKEY_BACKUP_RECIPIENT })
})
afterAll(() => one.stop())

test('a backup taken while 200 writes go on restores to all that was acknowledged before it began', async () => {
  const [id, { headers, call }] = [one.keys[0].id, one]
  const rename = (n: number) => call('PATCH', `/api/keys/${id}`, 200, { headers, json: { name: `${n}` } })
  for (let n = 0; n < 50; n++) await rename(n)
  const writing = (async () => {
    for (let n = 50; n < 200; n++) await rename(n)
  })()
  const file = await backUp(one.folder)
  await writing
  const folder = emptyFor(one.folder)
  expect((await cli(folder, ['restore', file])).code).toBe(0)
  const [row] = rows(folder, `select name from api_keys where id = '${id}'`)
  expect(Number(row!.name)).toBeGreaterThanOrEqual(49)
  const [events] = rows(folder, "select count(*) as n from audit_events where action = 'key.updated'")
  expect(events!.n).toBe(Number(row!.name) + 1)
  expect(await cli(folder, ['audit', 'verify'])).toMatchObject({ code: 0 })
})

test('what is restored is equal, but for what it ends: sessions, codes, mail, and keys until they are confirmed', async () => {
  const folder = emptyFor(one.folder)
  const file = await backUp(one.folder)
  const told = await cli(folder, ['restore', file])
  expect(told).toMatchObject({ code: 0 })
  expect(told.said).toContain('2 API keys wait')
  for (const table of ['users', 'workspaces', 'projects', 'members', 'media', 'program_keys', 'revocations'])
    expect(rows(folder, `select * from ${table}`)).toEqual(rows(one.folder, `select * from ${table}`))
  const [generation] = rows(folder, "select value from meta where name = 'generation'")
  expect(Number(generation!.value)).toBeGreaterThan(Date.now() - 600_000)
  expect(rows(folder, 'select 1 from challenges')).toEqual([])

  const [first, second] = one.keys
  expect((await cli(folder, ['keys', 'confirm', first.id])).said).toContain('1 API keys')
  const { call, stop } = await serve(folder)
  try {
    await call('GET', '/api/me', 401, { headers: one.headers })
    await call('GET', '/api/whoami', 401, { headers: bearer(second.token) })
    const { data } = await call('GET', '/api/keys', 200, { headers: bearer(first.token) })
    expect(new Map(data.map((key: { id: string; status: string }) => [key.id, key.status]))).toEqual(
      new Map([
        [first.id, 'active'],
        [second.id, 'suspended'],
      ]),
    )
  } finally {
    await stop()
  }
})

test('media comes back byte for byte', async () => {
  const folder = emptyFor(one.folder)
  await cli(folder, ['restore', archives.sealed], pair)
  await cli(folder, ['keys', 'confirm', '--all'])
  const { send, stop } = await serve(folder)
  for (const [i, { id }] of one.media.entries()) {
    const answer = await send('GET', `/media/${id}`, { headers: bearer(one.keys[0].token) })
    expect(Buffer.from(await answer.arrayBuffer()).equals(one.bytes[i]!)).toBe(true)
  }
  await stop()
})

test('a key that was revoked after the backup does not come back to life', async () => {
  const { headers, call } = one
  const key = await call('POST', '/api/keys', 201, { headers, json: { name: 'lost' } })
  await call('GET', '/api/whoami', 200, { headers: bearer(key.token) })
  const file = await backUp(one.folder)
  await call('DELETE', `/api/keys/${key.id}`, 200, { headers })
  const folder = emptyFor(one.folder)
  await cli(folder, ['restore', file])
  expect((await cli(folder, ['keys', 'confirm', one.keys[0].id])).code).toBe(0)
  const restored = await serve(folder)
  await restored.call('GET', '/api/whoami', 401, { headers: bearer(key.token) })
  await restored.call('GET', '/api/whoami', 200, { headers: bearer(one.keys[0].token) })
  await restored.stop()
})

/** The places at which a backup is altered: its first line, its keys, what it says of itself, the database, media, its end. */
const places = (size: number) => [
  3,
  22,
  30,
  60,
  120,
  Math.floor(size / 3),
  size - 150_000,
  size - 300,
  size - 20,
  size - 2,
]

test.each(['plain', 'sealed'] as const)(
  'a %s backup that was altered or cut short is refused, and nothing is left of it',
  async (kind) => {
    const good = readFileSync(archives[kind])
    const [folder, file] = [emptyFor(one.folder), join(newFolder(), 'bad')]
    const { restoreBackup } = await import('../src/backup/restore')
    const { readMasterKeys } = await import('../src/adapters/master-key-file')
    const { systemClock } = await import('../src/adapters/clock')
    const master = readMasterKeys({ kind: 'file', path: join(folder, 'master.key') })
    const opening = { identity: pair.LATCHKEY_BACKUP_IDENTITY, master, clock: systemClock }
    const at = { database: join(folder, 'latchkey.db'), media: join(folder, 'media') }
    const house = {
      folder,
      database: { kind: 'local' as const, path: at.database },
      media: { kind: 'included' as const, folder: at.media },
    }
    const open = () => createFolderPlace(dirname(file)).open(basename(file))
    const refuse = async (bytes: Uint8Array) => {
      writeFileSync(file, bytes)
      await expect(restoreBackup(await open(), house, opening)).rejects.toThrow(
        /^This (backup (was|does)|is no backup)/,
      )
      expect(existsSync(at.database) || existsSync(join(at.media, 'objects'))).toBe(false)
    }
    for (const place of places(good.length)) {
      const bad = Buffer.from(good)
      bad[place]! ^= 1
      await refuse(bad)
      await refuse(good.subarray(0, place))
    }
    // Cut exactly between two chunks, and with something after its end.
    await refuse(good.subarray(0, 24 + (kind === 'sealed' ? 32 + 2 * (65_536 + 16) : 2 * 65_536)))
    await refuse(Buffer.concat([good, Buffer.from('\n')]))
    writeFileSync(file, good)
    expect(await restoreBackup(await open(), house, opening)).toMatchObject({ media: 2, damaged: [] })
  },
)

test('a sealed backup shows nothing, and opens with its private key alone', async () => {
  const [plain, sealed] = [readFileSync(archives.plain), readFileSync(archives.sealed)]
  expect(plain.includes('SQLite format 3')).toBe(true)
  expect(sealed.includes('SQLite format 3') || sealed.includes('instance')).toBe(false)
  const folder = emptyFor(one.folder)
  expect((await cli(folder, ['restore', archives.sealed])).said).toContain('LATCHKEY_BACKUP_IDENTITY')
  expect((await cli(folder, ['restore', archives.sealed], newPair())).said).toContain('another private key')
  expect(readdirSync(folder)).not.toContain('latchkey.db')
})

test('a backup goes into no folder with data, nor under the master key of another instance, nor without one', async () => {
  const refused = await cli(one.folder, ['restore', archives.plain])
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.said).toContain('There is data already')
  const other = await newInstance()
  await other.stop()
  expect((await cli(emptyFor(other.folder), ['restore', archives.plain])).said).toContain(
    'it is another one of that name',
  )
  expect((await cli(newFolder(), ['restore', archives.plain])).said).toContain('does not hold its master key')
  expect((await cli(other.folder, ['drill', archives.plain])).code).toBe(1)
})

test('a drill says what it found, leaves what is served as it is, and fails for media that is not what was uploaded', async () => {
  const good = await cli(one.folder, ['drill', archives.plain])
  expect(good).toMatchObject({ code: 0 })
  expect(good.said).toContain('media objects: 2 of 2')
  const two = await newInstance()
  const [blob] = rows(two.folder, 'select blob, id from media order by size limit 1')
  writeFileSync(join(two.folder, 'media/objects', String(blob!.blob)), new Uint8Array(70))
  const file = join(newFolder(), 'damaged')
  expect((await cli(two.folder, ['backup', file])).code).toBe(1)
  const bad = await cli(two.folder, ['drill', file])
  await two.stop()
  expect(bad).toMatchObject({ code: 1 })
  expect(bad.said).toContain(String(blob!.id))
  expect((await cli(two.folder, ['drill', archives.plain])).said).toContain('another')
})

test('killed while it writes, it leaves nothing under the name, and the next one goes well', async () => {
  const two = await newInstance()
  await two.stop()
  const large = 8 * 2 ** 30
  const [medium] = rows(two.folder, 'select id, blob, size from media limit 1')
  const object = join(two.folder, 'media/objects', String(medium!.blob))
  const resize = (size: number) => {
    rows(two.folder, `update media set size = ${size} where id = '${medium!.id}' returning id`)
    truncateSync(object, size)
  }
  resize(large)
  const file = join(newFolder(), 'a.backup')
  const child = spawnCli(two.folder, ['backup', file])
  while (!existsSync(`${file}.part`) && child.exitCode === null) await new Promise(setImmediate)
  child.kill('SIGKILL')
  await child.exited
  expect([existsSync(`${file}.part`), existsSync(file)]).toEqual([true, false])
  resize(Number(medium!.size))
  expect(await cli(two.folder, ['backup', file])).toMatchObject({ code: 0 })
  expect([existsSync(`${file}.part`), existsSync(file)]).toEqual([false, true])
  expect(readdirSync(two.folder)).not.toContain('.backup')
})
