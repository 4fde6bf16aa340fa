// Media and backups: whose it is once a backup is restored, what a backup says of it, and what is kept of it in spite of all.
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { cli, emptyFor, newInstance } from './backup-house'
import { newFolder } from './template'

const backUp = async (folder: string, env = {}) => {
  const file = join(newFolder(), 'a.backup')
  const { code, said } = await cli(folder, ['backup', file], env)
  return { file, code, said }
}

test('media that a restore leaves where it is stays its own, until the operator gives it to the restored one', async () => {
  const one = await newInstance()
  const media = join(one.folder, 'media')
  while (!readdirSync(media).includes('owner')) await Bun.sleep(20)
  await one.stop()
  const owner = () => readFileSync(join(media, 'owner'), 'utf8')
  const [instance, generation] = owner().split(' ')
  expect(generation).toBe('1')
  const env = { LATCHKEY_BLOBS: `file:${media}`, LATCHKEY_BACKUP_MEDIA: 'referenced' }
  const { file } = await backUp(one.folder, env)
  const folder = emptyFor(one.folder)
  expect((await cli(folder, ['restore', file], env)).said).toContain('latchkey media take')
  expect(owner()).toBe(`${instance} 1`)
  expect(await cli(folder, ['media', 'take'], env)).toMatchObject({ code: 0 })
  expect(owner()).toMatch(new RegExp(`^${instance} [0-9]{13}$`))
}, 60_000)

const smallest = (folder: string) => {
  const file = new Libsql(join(folder, 'latchkey.db'))
  const [medium] = file.prepare<never[]>('select id, blob from media order by size limit 1').all() as {
    id: string
    blob: string
  }[]
  const resize = (size: number) => file.exec(`update media set size = ${size} where id = '${medium!.id}'`)
  return { ...medium!, object: join(folder, 'media/objects', medium!.blob), resize, close: () => file.close() }
}
const leftOut = (id: string) => `${id}: its bytes cannot be read, or are not those that were uploaded`

test('one object that cannot be opened, or ends too soon, is left out and told; the database and all else is there', async () => {
  const one = await newInstance()
  await one.stop()
  const { id, object, resize, close } = smallest(one.folder)
  const shorter = '/sys/kernel/mm/transparent_hugepage/enabled'
  for (const [to, size] of [
    [object, 70],
    [shorter, 4096],
  ] as const) {
    rmSync(object)
    symlinkSync(to, object)
    resize(size)
    const { file, code, said } = await backUp(one.folder)
    expect([code, said]).toEqual([1, expect.stringContaining(leftOut(id))])
    expect(said).toContain('Backed up with 1 of 2 media')
    const restored = await cli(emptyFor(one.folder), ['restore', file])
    expect(restored).toMatchObject({ code: 0 })
    expect(restored.said).toContain('media objects: 1 of 2')
  }
  close()
}, 60_000)

test('media that is only named is looked for: what is not there, or of another size, is told', async () => {
  const one = await newInstance()
  await one.stop()
  const env = { LATCHKEY_BACKUP_MEDIA: 'referenced' }
  expect(await backUp(one.folder, env)).toMatchObject({ code: 0 })
  const { id, object, close } = smallest(one.folder)
  truncateSync(object, 69)
  expect(await backUp(one.folder, env)).toMatchObject({ code: 1, said: expect.stringContaining(leftOut(id)) })
  rmSync(join(one.folder, 'media/objects'), { recursive: true })
  const { code, said } = await backUp(one.folder, env)
  expect([code, said]).toEqual([1, expect.stringContaining('Backed up with 0 of 2 media, by name')])
  close()
}, 60_000)

test('while sealed media does not open no backup is removed; without its master key that is said', async () => {
  const one = await newInstance({ LATCHKEY_MEDIA_ENCRYPTION: 'on' })
  await one.stop()
  const to = newFolder()
  const env = { LATCHKEY_BACKUP_TO: `file:${to}`, LATCHKEY_BACKUP_KEEP: '1' }
  expect(await cli(one.folder, ['backup'], env)).toMatchObject({ code: 0 })
  const [good = ''] = readdirSync(to)
  const { object, close } = smallest(one.folder)
  const bytes = readFileSync(object)
  bytes[30]! ^= 1
  writeFileSync(object, bytes)
  expect(await cli(one.folder, ['backup'], env)).toMatchObject({ code: 1 })
  expect(readdirSync(to)).toHaveLength(2)
  expect(readdirSync(to)).toContain(good)
  rmSync(join(one.folder, 'master.key'))
  expect((await backUp(one.folder)).said).toContain('2 sealed media were not opened')
  close()
}, 60_000)
