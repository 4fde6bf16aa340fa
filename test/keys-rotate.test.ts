// `latchkey keys rotate`: a further signing key, current only once every node has had the time to read it.
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { programKeys } from '../db/schema'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { newFolder } from './template'

const cli = join(import.meta.dir, '../src/cli.ts')

test('adds a key for sessions that becomes current in two minutes, and takes none away', async () => {
  const folder = newFolder()
  const env = { PATH: process.env.PATH ?? '', LATCHKEY_DATA_DIR: folder }
  const run = () => Bun.spawnSync([process.execPath, cli, 'keys', 'rotate'], { env, cwd: folder })
  const before = Date.now()
  const [first, second] = [run(), run()]
  expect([first.exitCode, second.exitCode, first.stderr.toString()]).toEqual([0, 0, ''])
  expect(first.stdout.toString()).toMatch(/^Sessions are signed with a new key from \S+Z on\.\n$/)
  const db = await openLocalDatabase({ path: join(folder, 'latchkey.db') })
  const keys = await db.orm.select().from(programKeys).where(eq(programKeys.purpose, 'session'))
  await db.close()
  const [made, ...later] = keys.map((key) => key.createdAt).sort((a, b) => a - b)
  expect(later).toHaveLength(2)
  expect(made).toBeLessThan(before + 60_000)
  for (const at of later) expect(at).toBeGreaterThanOrEqual(before + 120_000)
  expect(new Set(keys.map((key) => key.wrapped)).size).toBe(3)
})
