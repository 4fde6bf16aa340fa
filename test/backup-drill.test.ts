// A drill holds a backup against the live database, and leaves nothing behind, however it ends.
import { beforeAll, expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { alter, cli, copyOf, newBackup, spawnCli } from './backup-house'
import { newFolder } from './template'

let folder: string
let file: string
beforeAll(async () => {
  const made = await newBackup()
  ;[folder, file] = [made.one.folder, made.file]
})

const elsewhere = newFolder()
/** Starts one, and lets it come to where everything lies open. */
const begin = async (at: string) => {
  const child = spawnCli(at, ['drill', file], { TMPDIR: elsewhere })
  while (!existsSync(join(at, '.drill/work/database')) && child.exitCode === null) await new Promise(setImmediate)
  return child
}

test('told to end, it leaves nothing of what it opened; killed, its next run does', async () => {
  const told = await begin(folder)
  told.kill('SIGTERM')
  expect(await told.exited).toBe(1)
  expect(existsSync(join(folder, '.drill'))).toBe(false)

  const killed = await begin(folder)
  killed.kill('SIGKILL')
  await killed.exited
  expect(existsSync(join(folder, '.drill/work/database'))).toBe(true)
  expect(await cli(folder, ['drill', file])).toMatchObject({ code: 0 })
  expect(existsSync(join(folder, '.drill'))).toBe(false)
  expect(readdirSync(elsewhere)).toEqual([])
}, 60_000)

test('what a killed one left keeps nobody from restoring', async () => {
  const empty = newFolder()
  copyFileSync(join(folder, 'master.key'), join(empty, 'master.key'))
  const killed = await begin(empty)
  killed.kill('SIGKILL')
  await killed.exited
  expect(await cli(empty, ['restore', file])).toMatchObject({ code: 0 })
}, 60_000)

test('it says how many rows each table has live, and that the live audit goes on from it, pruned or not', async () => {
  const live = copyOf(folder)
  alter(live, 'delete from media')
  const { code, said } = await cli(live, ['drill', file])
  expect([code, said]).toEqual([0, expect.stringContaining('media: 2, live 0')])
  alter(
    live,
    `insert into audit_checkpoints select chain, position + 1, 'later', at, kid, signature from audit_heads;
     delete from audit_events`,
  )
  expect((await cli(live, ['drill', file])).said).toContain('The drill went well')
}, 60_000)

test('a live audit that lacks one sealed event of it is no continuation; where a backup was restored since, none is asked for', async () => {
  const live = copyOf(folder)
  alter(live, "delete from audit_events where chain like 'workspace:%'")
  const { code, said } = await cli(live, ['drill', file])
  expect([code, said]).toEqual([1, expect.stringContaining('the live one does not go on from it')])
  alter(live, "update meta set value = '9' where name = 'generation'")
  expect(await cli(live, ['drill', file])).toMatchObject({ code: 0, said: expect.stringContaining('not held against') })
}, 60_000)

test('a folder that cannot be locked is told as that, and not as another drill', async () => {
  const at = copyOf(folder)
  mkdirSync(join(at, '.drill/lock.db'), { recursive: true })
  const { code, said } = await cli(at, ['drill', file])
  expect([code, said]).toEqual([1, expect.not.stringContaining('under way')])
}, 60_000)

test('it counts the chains that hold: that their number was forged makes them no fewer', async () => {
  const [at, to] = [copyOf(folder), join(newFolder(), 'forged.backup')]
  alter(at, "update audit_heads set signature = 'forged'")
  expect(await cli(at, ['backup', to])).toMatchObject({ code: 0 })
  const { said } = await cli(at, ['drill', to])
  expect(said).toMatch(/audit chains: 0 of [1-9]/)
  expect(said).toContain('  chains: does not hold')
}, 60_000)
