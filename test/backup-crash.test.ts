// What ended in the middle, however it did: nothing half of a restore is served, and the same command does it anew.
import { beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { alter, cli, copyOf, emptyFor, newBackup, serve, spawnCli } from './backup-house'
import { bearer } from './story'
import { newFolder } from './template'

let one: Awaited<ReturnType<typeof newBackup>>['one']
let file: string
beforeAll(async () => {
  ;({ one, file } = await newBackup())
})

const unfinished = 'A restore into this folder has not ended: let it end, run it again, or remove the folder .restore'

/** Restores by the command and looks that it is all there. */
const restoreAndServe = async (folder: string) => {
  expect(await cli(folder, ['restore', file])).toMatchObject({ code: 0 })
  expect(readdirSync(folder).toSorted()).toEqual(['latchkey.db', 'master.key', 'media'])
  expect(readdirSync(join(folder, 'media'))).toEqual(['objects'])
  expect((await cli(folder, ['keys', 'confirm', '--all'])).code).toBe(0)
  const { send, stop } = await serve(folder)
  const answer = await send('GET', `/media/${one.media[0].id}`, { headers: bearer(one.keys[0].token) })
  expect(Buffer.from(await answer.arrayBuffer()).equals(one.bytes[0]!)).toBe(true)
  await stop()
}

test('killed while it takes the backup apart, it leaves nothing that is served, and goes well again', async () => {
  const folder = emptyFor(one.folder)
  const child = spawnCli(folder, ['restore', file])
  while (!existsSync(join(folder, '.restore/database')) && child.exitCode === null) await new Promise(setImmediate)
  child.kill('SIGKILL')
  await child.exited
  await expect(openLocalDatabase({ path: join(folder, 'latchkey.db') })).rejects.toThrow(unfinished)
  expect((await cli(folder, ['migrate'])).said).toContain(unfinished)
  expect(existsSync(join(folder, 'latchkey.db'))).toBe(false)
  await restoreAndServe(folder)
}, 60_000)

test('killed once all is in place, it is served', async () => {
  const folder = emptyFor(one.folder)
  expect((await cli(folder, ['restore', file])).code).toBe(0)
  mkdirSync(join(folder, '.restore'))
  expect((await cli(folder, ['restore', file])).said).toContain('There is data already')
  expect((await cli(folder, ['keys', 'confirm', '--all'])).code).toBe(0)
}, 60_000)

test('killed between its media and its database, it takes its media back and begins anew', async () => {
  const folder = emptyFor(one.folder)
  const done = emptyFor(one.folder)
  expect((await cli(done, ['restore', file])).code).toBe(0)
  mkdirSync(join(folder, '.restore'))
  renameSync(join(done, 'media'), join(folder, 'media'))
  expect((await cli(folder, ['migrate'])).said).toContain(unfinished)
  await restoreAndServe(folder)
}, 60_000)

test('with no room left on the disk, it says so and leaves nothing', async () => {
  const folder = emptyFor(one.folder)
  const run = (kib: number, words: string[]) => {
    const inside = [process.execPath, 'src/cli.ts', ...words].map((word) => `'${word}'`).join(' ')
    const child = Bun.spawn(['bash', '-c', `trap '' XFSZ; ulimit -f ${kib}; exec ${inside}`], {
      env: { PATH: process.env.PATH, LATCHKEY_DATA_DIR: words[0] === 'backup' ? one.folder : folder },
      stderr: 'pipe',
    })
    return new Response(child.stderr).text()
  }
  const sentence = 'There is no room on the disk for this backup: nothing of it is used.\n'
  expect(await run(150, ['restore', file])).toBe(sentence)
  expect(readdirSync(folder).toSorted()).toEqual(['master.key', 'media'])
  expect(readdirSync(join(folder, 'media'))).toEqual([])
  const to = newFolder()
  const large = join(to, 'a.backup')
  expect(await run(Math.ceil(Bun.file(join(one.folder, 'latchkey.db')).size / 1024) + 16, ['backup', large])).toBe(
    sentence,
  )
  expect(readdirSync(to)).toEqual([])
  await restoreAndServe(folder)
}, 60_000)

test('a backup that is told to end leaves nothing of itself', async () => {
  const [folder, to] = [copyOf(one.folder), newFolder()]
  alter(folder, 'create table filler as select randomblob(64000000) as bytes')
  const begun = join(to, 'a.backup.part')
  const child = spawnCli(folder, ['backup', join(to, 'a.backup')])
  while (!existsSync(begun) && child.exitCode === null) await new Promise(setImmediate)
  child.kill('SIGTERM')
  expect(await child.exited).toBe(1)
  expect([readdirSync(to), existsSync(join(folder, '.backup'))]).toEqual([[], false])
}, 60_000)
