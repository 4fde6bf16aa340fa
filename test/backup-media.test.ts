// Media and backups: whose it is once a backup is restored, what a backup says of it, and what is kept of it in spite of all.
import { expect, test } from 'bun:test'
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cli, newInstance } from './backup-house'
import { newFolder } from './template'

const emptyFor = (folder: string) => {
  const empty = newFolder()
  copyFileSync(join(folder, 'master.key'), join(empty, 'master.key'))
  return empty
}
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
