// Backups that were made to harm: each is whole by its digests, refused in one sentence, and leaves nothing.
import { beforeAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import * as commands from '../src/backup/commands'
import { readConfig } from '../src/config'
import { newInstance } from './backup-house'
import { newFolder } from './template'

const refused = 'This backup was cut short or altered: nothing of it is used.'
const magic = 'latchkey-backup 1 plain\n'
const blob = 'a'.repeat(26)

let one: Awaited<ReturnType<typeof newInstance>>
/** A good one, taken apart. */
let header: Record<string, unknown>
let database: Buffer
let media: Buffer[]

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const line = (value: unknown) => Buffer.from(`${JSON.stringify(value)}\n`)
const object = (name: string, bytes: Uint8Array, more = {}) =>
  Buffer.concat([line({ name, size: bytes.length, ...more }), bytes, line({ sha256: sha256(bytes) })])
const whole = (head: unknown, objects: Uint8Array[], more = {}) => {
  const all = Buffer.concat([line(head), ...objects])
  return Buffer.concat([Buffer.from(magic), all, line({ end: objects.length, sha256: sha256(all), ...more })])
}
const settingsOf = (folder: string) => readConfig({ LATCHKEY_DATA_DIR: folder }, { source: 'source' })
const altered = (sql: string) => {
  const file = join(newFolder(), 'latchkey.db')
  writeFileSync(file, database)
  const db = new Libsql(file)
  db.exec(sql)
  db.close()
  return object('database', readFileSync(file))
}

/** What restore and drill of it say; they must say the same, and leave no file but those that were there. */
const sayOf = async (file: string) => {
  const folder = newFolder()
  copyFileSync(join(one.folder, 'master.key'), join(folder, 'master.key'))
  const said: string[] = []
  const say = (text: string) => void said.push(text)
  const audit = async () => ({ chains: 1, broken: [] })
  const ended = (work: Promise<void>) =>
    work.then(
      () => said.join('\n'),
      (error: Error) => error.message,
    )
  const drilled = await ended(commands.drill([file], settingsOf(folder), audit, say))
  const restored = await ended(commands.restore([file], settingsOf(folder), say))
  const left = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((it) =>
    it.isFile() ? it.name : [],
  )
  return { drilled, restored, left }
}
const sayOfBytes = (bytes: Uint8Array) => {
  const file = join(newFolder(), 'crafted')
  writeFileSync(file, bytes)
  return sayOf(file)
}

/** Lines and runs of bytes off a good backup. */
const takeApart = (bytes: Buffer) => {
  let at = magic.length
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  const next = () => JSON.parse(take(bytes.indexOf(10, at) + 1 - at).toString())
  header = next()
  const objects: Buffer[] = []
  for (let entry = next(); entry.end === undefined; entry = next()) {
    const content = take(entry.size)
    next()
    if (entry.name === 'database') database = content
    else objects.push(object(entry.name, content))
  }
  media = objects
}

beforeAll(async () => {
  one = await newInstance()
  await one.stop()
  const file = join(newFolder(), 'a.backup')
  await commands.backup([file], settingsOf(one.folder), 'test', () => {})
  takeApart(readFileSync(file))
})

test('one that was put together again as it was is taken', async () => {
  const { drilled, restored } = await sayOfBytes(whole(header, [object('database', database), ...media]))
  expect(drilled).toContain('The drill went well')
  expect(restored).toContain('Restored.')
})

const db = () => object('database', database)
const withHeader = (more: Record<string, unknown>) => whole({ ...header, ...more }, [db(), ...media])
const evil = Buffer.from('evil')
const large = () => media.find((it) => it.length > 200_000)!
const crafted: Record<string, () => Uint8Array> = {
  'an instant past all dates': () => withHeader({ createdAt: 9_007_199_254_740_991 }),
  'an instant of the year 10000': () => withHeader({ createdAt: 253_402_300_800_000 }),
  'an instant before all': () => withHeader({ createdAt: -1 }),
  'a version that steers a terminal': () => withHeader({ version: '\u001b[2Jevil' }),
  'a place of media that steers a terminal': () => withHeader({ mediaAt: '\u001b]0;x\u0007' }),
  'a place of media that turns the text around': () => withHeader({ mediaAt: '\u202e' }),
  'no migrations': () => withHeader({ migrations: null }),
  'more than a header holds': () => withHeader({ more: 1 }),
  'the header null': () => whole(null, [db()]),
  'the header an array': () => whole([], [db()]),
  'the header a text': () => whole('x', [db()]),
  'an object null': () => Buffer.concat([Buffer.from(magic), line(header), db(), line(null)]),
  'an object that says more': () => whole(header, [db(), object(`media/${blob}`, evil, { mode: 7 })]),
  'an end that says more': () => whole(header, [db(), ...media], { more: 1 }),
  'a size below nothing': () => whole(header, [db(), object(`media/${blob}`, evil, { size: -1 })]),
  'a size past all': () => whole(header, [db(), object(`media/${blob}`, evil, { size: 9_007_199_254_740_991 })]),
  'a medium twice': () => whole(header, [db(), media[0]!, media[0]!]),
  'media out of order': () => whole(header, [db(), ...media.toReversed()]),
  'a name that leads elsewhere': () => whole(header, [db(), object('media/../../../../evil', evil)]),
  'two databases': () => whole(header, [db(), db()]),
  'no database': () => whole(header, [media[0]!]),
  'a database that is none': () => whole(header, [object('database', Buffer.alloc(5000, 'x'))]),
  'an object that no row names': () => whole(header, [db(), ...[...media, object(`media/${blob}`, evil)].sort(byName)]),
  // Without its object, which no row would name.
  'a row whose object is elsewhere': () =>
    whole(header, [altered("update media set blob = '../../master.key' where size = 70"), large()]),
  'a row whose id steers a terminal': () => whole(header, [altered('update media set id = char(27) where size = 70')]),
}
const byName = (a: Buffer, b: Buffer) => Buffer.compare(a, b)

test.each(Object.entries(crafted))('%s', async (_, make) => {
  expect(await sayOfBytes(make())).toEqual({ drilled: refused, restored: refused, left: ['master.key'] })
})

test('a folder is no backup', async () => {
  const folder = newFolder()
  mkdirSync(join(folder, 'a'))
  const said = 'There is no backup of that name that can be read.'
  expect(await sayOf(join(folder, 'a'))).toEqual({ drilled: said, restored: said, left: ['master.key'] })
})
