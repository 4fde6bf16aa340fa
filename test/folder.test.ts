// A folder that cannot be used is named, with what is wrong with it; nothing is said in the words of a library.
import { expect, test } from 'bun:test'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cli } from './backup-house'
import { newFolder } from './template'

const program = [process.execPath, join(import.meta.dir, '../src/cli.ts')]
const canBeNobody = process.getuid?.() === 0 && Bun.which('setpriv') !== null

/** What `latchkey migrate` says to somebody who owns nothing here. */
const toNobody = (folder: string) => {
  const command = ['setpriv', '--reuid', '65534', '--clear-groups', ...program, 'migrate']
  const env = { PATH: process.env.PATH, LATCHKEY_DATA_DIR: folder }
  return Bun.spawnSync(command, { env }).stderr.toString()
}
const openFolder = (mode: number) => {
  const folder = newFolder()
  chmodSync(dirname(folder), 0o711)
  chmodSync(folder, mode)
  return folder
}

test('a file where the folder should be, or above it', async () => {
  const file = join(newFolder(), 'file')
  writeFileSync(file, '')
  const beginnings = [file, join(file, 'data')].map((it) => `The folder ${it} is not there and cannot be made: `)
  expect((await cli(file, ['migrate'])).said).toBe(`${beginnings[0]}there is a file of that name.\n`)
  expect((await cli(join(file, 'data'), ['migrate'])).said).toBe(
    `${beginnings[1]}a file is where a folder should be.\n`,
  )
})

test('a lock that is none', async () => {
  const folder = newFolder()
  mkdirSync(join(folder, 'lock.db'))
  expect((await cli(folder, ['migrate'])).said).toBe(`${folder}/lock.db cannot be opened.\n`)
})

test.skipIf(!canBeNobody)('a folder of somebody else, to write to or to make another in', () => {
  const folder = openFolder(0o755)
  expect(toNobody(folder)).toBe(
    `${folder} cannot be read and written: permission denied; it belongs to user 0, and this is user 65534.\n`,
  )
  expect(toNobody(join(folder, 'data'))).toBe(
    `The folder ${folder}/data is not there and cannot be made: permission denied.\n`,
  )
})

test.skipIf(!canBeNobody)('a file that another user left in it, as a command run by root does', async () => {
  const folder = openFolder(0o777)
  expect((await cli(folder, ['migrate'])).code).toBe(0)
  expect(toNobody(folder)).toBe(
    `${folder}/lock.db cannot be read and written: permission denied; it belongs to user 0, and this is user 65534.\n`,
  )
  chmodSync(join(folder, 'lock.db'), 0o666)
  expect(toNobody(folder)).toContain(`${folder}/latchkey.db cannot be read and written: permission denied; it belongs`)
})
