// Every sentence by which backup, restore and drill refuse: each is said where it should be, and none stands here untested.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { lockProcess } from '../src/adapters/database-libsql'
import type { S3 } from '../src/adapters/s3'
import { createArchive } from '../src/backup/archive'
import { copyPrimary } from '../src/backup/copy-primary'
import { createBucketPlace } from '../src/backup/place-s3'
import { demandRoom } from '../src/backup/room'
import { createBackups } from '../src/backup/scheduled'
import type { Env } from '../src/config'
import { Failure } from '../src/errors'
import { alter, cli, copyOf, emptyFor, newBackup, newPair } from './backup-house'
import { failed, run } from './backup-run'
import { type Sqld, startSqld } from './sqld'
import { newFolder } from './template'

let one: Awaited<ReturnType<typeof newBackup>>['one']
let sqld: Sqld
let plain: string
const pair = newPair()

const backUp = async (folder: string, env: Env = {}) => {
  const file = join(newFolder(), 'a.backup')
  await run(folder, ['backup', file], env)
  return file
}
const changed = (change: (bytes: Buffer) => Uint8Array) => {
  const file = join(newFolder(), 'changed')
  writeFileSync(file, change(readFileSync(plain)))
  return file
}

/** A primary behind something that answers no more than so many requests, and gives no copy. */
const behind = (requests: number) => {
  let left = requests
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      if (!request.url.endsWith('/v3/pipeline') || left-- <= 0) return new Response(null, { status: 503 })
      const { headers, method } = request
      const answer = await fetch(`${sqld.url}/v3/pipeline`, { method, headers, body: await request.text() })
      return new Response(await answer.text(), { status: answer.status })
    },
  })
  servers.push(server)
  return server.url.origin
}
const servers: ReturnType<typeof Bun.serve>[] = []
const primary = (url: string): Env => ({
  LATCHKEY_PRIMARY_URL: url,
  LATCHKEY_PRIMARY_TOKEN: sqld.token('rw'),
  LATCHKEY_BLOBS: `file:${newFolder()}`,
})
/** What a backup that `script` makes by itself says, with so much time until the next. */
const scheduled = (everyMs: number, script: string) => {
  const program = { command: ['sh', '-c', script], env: {} }
  return failed(createBackups({ to: 'file:/nowhere', keys: null }, everyMs, program).make(new AbortController().signal))
}
const bucket = (failure: Failure) =>
  createBucketPlace({ sizeOf: () => Promise.reject(failure), begin: () => Promise.reject(failure) } as unknown as S3)

const says: Record<string, () => Promise<string>> = {
  'There is no database to back up.': () => run(newFolder(), ['backup', join(newFolder(), 'a')]),
  'Another backup of this database is under way.': async () => {
    const beside = join(one.folder, '.backup')
    mkdirSync(beside)
    const lock = lockProcess(beside)
    const said = await run(one.folder, ['backup', join(newFolder(), 'a')])
    lock.close()
    rmSync(beside, { recursive: true })
    return said
  },
  'No file can be made where the backup should be.': () => run(one.folder, ['backup', join(plain, 'a')]),
  'A file became shorter while it was backed up.': async () => {
    const archive = createArchive({ write: async () => {} })
    return failed(archive.add({ name: 'database', size: 10 ** 9 }, async () => 0))
  },
  'The backup is written, but not all media is sound.': async () => {
    const copy = copyOf(one.folder)
    rmSync(join(copy, 'media'), { recursive: true })
    return run(copy, ['backup', join(newFolder(), 'a')])
  },
  'Not all media is sound: the backup that was there is left as it is.': async () => {
    const [copy, file] = [copyOf(one.folder), await backUp(one.folder)]
    const before = readFileSync(file)
    rmSync(join(copy, 'media'), { recursive: true })
    const said = await run(copy, ['backup', file])
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(await run(one.folder, ['backup', file])).toContain('2 of 2')
    expect(readFileSync(file).equals(before)).toBe(false)
    return said
  },
  'What has that name is no backup of this instance: it is left as it is.': async () => {
    const [file, copy] = [changed(() => Buffer.from('notes')), copyOf(one.folder)]
    const said = await run(one.folder, ['backup', file])
    expect(readFileSync(file, 'utf8')).toBe('notes')
    alter(copy, "update meta set value = 'another' where name = 'instance_id'")
    const theirs = await backUp(copy)
    expect(await run(one.folder, ['backup', theirs])).toBe(said)
    return said
  },
  'A backup is written outside the folders of data and media, where nothing else may be.': async () => {
    const [copy, link] = [copyOf(one.folder), join(newFolder(), 'link')]
    symlinkSync(copy, link)
    const before = readFileSync(join(copy, 'latchkey.db'))
    const said = await run(copy, ['backup', join(copy, 'latchkey.db')])
    for (const path of [join(copy, 'media/objects/a'), join(copy, 'new/a'), join(link, 'latchkey.db')])
      expect(await run(copy, ['backup', path])).toBe(said)
    const elsewhere = { LATCHKEY_DATABASE: `file:${copy}/latchkey.db`, LATCHKEY_DATA_DIR: newFolder() }
    expect(await run(copy, ['backup', join(copy, 'a')], elsewhere)).toBe(said)
    expect(await run(copy, ['backup', `${copy}-beside`])).toContain('2 of 2')
    expect(readFileSync(join(copy, 'latchkey.db')).equals(before)).toBe(true)
    return said
  },
  'LATCHKEY_BACKUP_TO must name a folder outside those of data and media, with none of them in it.': async () => {
    const copy = copyOf(one.folder)
    const by = (to: string) => run(copy, ['backup'], { LATCHKEY_BACKUP_TO: `file:${to}` })
    const said = await by(copy)
    for (const to of [join(copy, 'backups'), join(copy, 'media'), dirname(copy)]) expect(await by(to)).toBe(said)
    expect(readdirSync(dirname(copy))).toEqual(['copy'])
    expect(existsSync(join(copy, 'backups'))).toBe(false)
    expect(await by(`${copy}-beside`)).toContain('2 of 2')
    return said
  },
  'There is no room on the disk for this backup: nothing of it is used.': async () => {
    const [copy, to] = [copyOf(one.folder), newFolder()]
    alter(copy, 'update media set size = 1000000000000000')
    const said = await run(copy, ['backup', join(to, 'a')])
    expect(readdirSync(to)).toEqual([])
    await expect(demandRoom(to, 10 ** 15)).rejects.toThrow('There is no room')
    await demandRoom(to, 1)
    return said
  },
  'Say where: LATCHKEY_BACKUP_TO is not set.': () => run(one.folder, ['backup']),
  'The folder of the backups cannot be read.': () =>
    run(one.folder, ['backups'], { LATCHKEY_BACKUP_TO: `file:${plain}` }),
  'There is no backup of this instance where LATCHKEY_BACKUP_TO says.': () =>
    run(one.folder, ['drill'], { LATCHKEY_BACKUP_TO: `file:${newFolder()}` }),
  'The backup took longer than a day, or than there is between two of them.': () => scheduled(20, 'exec sleep 10'),
  'The backup ended with 3.': () => scheduled(9000, 'exit 3'),
  'There is no backup of that name that can be read.': () => run(emptyFor(one.folder), ['restore', '/none']),
  'This is no backup of Latchkey.': () => run(emptyFor(one.folder), ['restore', join(one.folder, 'latchkey.db')]),
  'This backup was cut short or altered: nothing of it is used.': () =>
    run(emptyFor(one.folder), ['restore', changed((bytes) => bytes.subarray(0, 150_000))]),
  'This backup is encrypted: LATCHKEY_BACKUP_IDENTITY must hold the private key that opens it.': async () => {
    const file = await backUp(one.folder, { LATCHKEY_BACKUP_RECIPIENT: pair.LATCHKEY_BACKUP_RECIPIENT })
    return run(emptyFor(one.folder), ['restore', file])
  },
  'This backup does not open: it was cut short or altered, or is for another private key.': async () => {
    const file = await backUp(one.folder, { LATCHKEY_BACKUP_RECIPIENT: pair.LATCHKEY_BACKUP_RECIPIENT })
    return run(emptyFor(one.folder), ['restore', file], newPair())
  },
  'This backup was made by a newer version of Latchkey: restore it with that one.': async () => {
    const copy = copyOf(one.folder)
    alter(copy, "insert into migrations (name, sha256, applied_at) values ('9999_later', '', 1)")
    return run(emptyFor(one.folder), ['restore', await backUp(copy)])
  },
  'There is data already: a backup is restored into an empty folder, with at most its master.key.': () =>
    run(one.folder, ['restore', plain]),
  'There is media already: restore into an empty folder, or leave it as it is by LATCHKEY_BACKUP_MEDIA=referenced.':
    async () => {
      const folder = emptyFor(one.folder)
      cpSync(join(one.folder, 'media'), join(folder, 'media'), { recursive: true })
      writeFileSync(join(folder, 'media/objects', 'a'.repeat(26)), 'of another instance')
      const said = await run(folder, ['restore', plain])
      expect(await run(folder, ['restore', plain], { LATCHKEY_BACKUP_MEDIA: 'referenced' })).toContain('2 of 2')
      return said
    },
  'Another restore is under way here.': async () => {
    const folder = emptyFor(one.folder)
    mkdirSync(join(folder, '.restore'))
    const lock = lockProcess(join(folder, '.restore'))
    const said = await run(folder, ['restore', plain])
    lock.close()
    return said
  },
  'A backup does not hold its master key: put its master.key into the data folder, or set LATCHKEY_MASTER_KEYS.': () =>
    run(newFolder(), ['restore', plain]),
  'This database needs the master key "development": add it to LATCHKEY_MASTER_KEYS.': () =>
    run(newFolder(), ['restore', plain], { LATCHKEY_MASTER_KEYS: `other:${Buffer.alloc(32, 1).toString('base64')}` }),
  'The master key "development" does not open this database: it is another one of that name.': () =>
    run(newFolder(), ['restore', plain], {
      LATCHKEY_MASTER_KEYS: `development:${Buffer.alloc(32, 1).toString('base64')}`,
    }),
  'This backup is of another instance.': async () => {
    const copy = copyOf(one.folder)
    alter(copy, "update meta set value = 'another' where name = 'instance_id'")
    return run(copy, ['drill', plain])
  },
  'The audit of this backup is no beginning of the live one.': async () => {
    const copy = copyOf(one.folder)
    expect(await run(copy, ['drill', plain])).toContain('The drill went well')
    alter(copy, "update audit_events set hash = 'of another history' where position is not null")
    return run(copy, ['drill', plain])
  },
  'Another drill is under way here.': async () => {
    const beside = join(one.folder, '.drill')
    mkdirSync(beside)
    const lock = lockProcess(beside)
    const said = await run(one.folder, ['drill', plain])
    lock.close()
    rmSync(beside, { recursive: true })
    return said
  },
  'This database is of an older version of Latchkey: back it up with that one, or migrate it first.': () => {
    const copy = copyOf(one.folder)
    alter(copy, 'delete from migrations where name = (select max(name) from migrations)')
    return run(copy, ['backup', join(newFolder(), 'a')])
  },
  'This backup differs from what it says.': async () => {
    const copy = copyOf(one.folder)
    rmSync(join(copy, 'media'), { recursive: true })
    return run(copy, ['drill', await backUp(copy)])
  },
  'The primary is out of reach, or takes no token of ours.': async () => {
    const env = primary(behind(0))
    const said = await run(newFolder(), ['backup', join(newFolder(), 'a')], env)
    expect(await run(emptyFor(one.folder), ['restore', plain], env)).toBe(said)
    return said
  },
  'The primary did not take all of it, and no node starts on what it has: restore again.': () =>
    run(emptyFor(one.folder), ['restore', plain], primary(behind(5))),
  'The primary has data already: a backup is restored into an empty one.': async () => {
    expect(await run(emptyFor(one.folder), ['restore', plain], primary(sqld.url))).toContain('Restored.')
    return run(emptyFor(one.folder), ['restore', plain], primary(sqld.url))
  },
  // By the command: what fetches a copy waits for it in this thread, which is that of what is between.
  'The primary did not give a copy of its data.': async () =>
    (await cli(newFolder(), ['backup', join(newFolder(), 'a')], primary(behind(1)))).said.trim(),
  'The primary does not go on giving a copy of its data: nothing came for 5 minutes.': async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const said = await failed(copyPrimary({ url, readToken: 'a' }, join(newFolder(), 'copy.db'), 300))
    silent.close()
    return said
  },
  'A bucket needs LATCHKEY_BACKUP_S3_ACCESS_KEY and LATCHKEY_BACKUP_S3_SECRET_KEY.': () =>
    run(emptyFor(one.folder), ['restore', 's3://bucket/a?region=eu-central-1']),
  'A bucket must have an https:// endpoint in production, but on this machine.': async () => {
    const env = {
      LATCHKEY_ENV: 'production',
      LATCHKEY_ORIGIN: 'https://keys.example.com',
      LATCHKEY_MASTER_KEYS: `development:${Buffer.alloc(32, 1).toString('base64')}`,
      LATCHKEY_SMTP_URL: 'smtps://mail.example.com',
      LATCHKEY_MAIL_FROM: 'robot@example.com',
      LATCHKEY_BACKUP_S3_ACCESS_KEY: 'AKID',
      LATCHKEY_BACKUP_S3_SECRET_KEY: 'hush',
    }
    const by = (command: string, endpoint: string) =>
      run(one.folder, [command, `s3://bucket/a?endpoint=${endpoint}`], env)
    const said = await by('backup', 'http://192.0.2.1:9')
    for (const command of ['restore', 'drill']) expect(await by(command, 'http://192.0.2.1:9')).toBe(said)
    expect(await by('drill', 'http://127.0.0.1:1')).toStartWith('The bucket did not do its part')
    return said
  },
  'The bucket has no room left for this backup.': async () => {
    const sink = await bucket(new Failure('disk_full')).create('a', 1)
    return failed(sink.write(new Uint8Array(9 * 2 ** 20)))
  },
  'The bucket did not do its part: it answered 403.': () =>
    failed(bucket(new Failure('unavailable', undefined, { cause: new Error('it answered 403') })).open('a')),
}

beforeAll(async () => {
  ;({ one, file: plain } = await newBackup())
  sqld = await startSqld()
})
afterAll(async () => {
  for (const server of servers) await server.stop(true)
  await sqld.stop()
})

test.each(Object.entries(says))(
  '%s',
  async (sentence, provoke) => {
    expect((await provoke()).split('\n').at(-1)).toBe(sentence)
  },
  30_000,
)

test('there is no other', async () => {
  const isTold = (text: string) => Object.keys(says).some((sentence) => sentence.startsWith(text.split('${')[0]!))
  const untold: string[] = []
  for await (const path of new Bun.Glob('src/backup/*.ts').scan('.')) {
    const source = await Bun.file(path).text()
    for (const [, text = ''] of source.matchAll(/new Error\(\s*['`]([A-Z][^'`]*)['`]/g))
      if (!isTold(text)) untold.push(text)
  }
  expect(untold).toEqual([])
})
