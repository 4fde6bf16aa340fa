// Backups in a bucket, and of media in one: an object is there once it is whole, and media is named, and looked for.
import { afterEach, describe, expect, test } from 'bun:test'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { createS3 } from '../src/adapters/s3'
import { readName } from '../src/backup/names'
import { cli, emptyFor, newInstance, serve, spawnCli } from './backup-house'
import { hasS3, newS3Options } from './s3'
import { bearer } from './story'
import { newFolder } from './template'

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

/** An empty place in a bucket: its client, and what settings call it. */
const newBucket = async () => {
  const options = await newS3Options()
  const { origin, root, prefix } = options.place
  const at = (name = '') => `${`s3:/${root}${prefix}${name}`.replace(/\/$/, '')}?endpoint=${origin}`
  return { s3: createS3(options), keys: options.keys, at }
}
const served = async (folder: string, env: Record<string, string>, one: Awaited<ReturnType<typeof newInstance>>) => {
  expect((await cli(folder, ['keys', 'confirm', '--all'], env)).code).toBe(0)
  const { send, stop } = await serve(folder, env)
  endings.push(stop)
  const answers = one.media.map(({ id }) => send('GET', `/media/${id}`, { headers: bearer(one.keys[0].token) }))
  return Promise.all(answers)
}

describe.skipIf(!hasS3())('in a bucket', () => {
  const start = async () => {
    const { s3, keys, at } = await newBucket()
    const secrets = { LATCHKEY_BACKUP_S3_ACCESS_KEY: keys.access, LATCHKEY_BACKUP_S3_SECRET_KEY: keys.secret }
    return { s3, at, secrets, env: { ...secrets, LATCHKEY_BACKUP_TO: at() } }
  }

  test('a backup is made, listed, drilled, and restored by its name or its address', async () => {
    const [one, { at, env, secrets }] = [await newInstance(), await start()]
    endings.push(one.stop)
    expect(await cli(one.folder, ['backup'], env)).toMatchObject({ code: 0 })
    const name = (await cli(one.folder, ['backups'], env)).said.trim()
    expect(readName(name)).not.toBeNull()
    expect(await cli(one.folder, ['drill'], env)).toMatchObject({ code: 0 })
    expect(await cli(emptyFor(one.folder), ['restore', name], env)).toMatchObject({ code: 0 })
    const folder = emptyFor(one.folder)
    expect(await cli(folder, ['restore', at(name)], secrets)).toMatchObject({ code: 0 })
    const answers = await served(folder, {}, one)
    for (const [i, answer] of answers.entries())
      expect(Buffer.from(await answer.arrayBuffer()).equals(one.bytes[i]!)).toBe(true)
  }, 60_000)

  test('one that is killed is not there, and the next goes well', async () => {
    const [one, { s3, env }] = [await newInstance(), await start()]
    await one.stop()
    const file = new Libsql(join(one.folder, 'latchkey.db'))
    const [medium] = file.prepare<never[]>('select id, blob, size from media limit 1').all() as [
      { id: string; blob: string; size: number },
    ]
    const resize = (size: number) => {
      file.prepare<[number, string]>('update media set size = ? where id = ?').run(size, medium.id)
      truncateSync(join(one.folder, 'media/objects', medium.blob), size)
    }
    resize(8 * 2 ** 30)
    const child = spawnCli(one.folder, ['backup'], env)
    while ((await Array.fromAsync(s3.uploads(''))).length === 0 && child.exitCode === null) await Bun.sleep(5)
    child.kill('SIGKILL')
    await child.exited
    expect((await cli(one.folder, ['backups'], env)).said).toBe('')
    expect((await cli(one.folder, ['drill'], env)).said).toContain('There is no backup of this instance')
    resize(medium.size)
    file.close()
    // Cut through the object that was there, not what it holds.
    expect((await cli(one.folder, ['backup'], env)).said).toContain('Backed up with')
    expect((await cli(one.folder, ['backups'], env)).said.trim().split('\n')).toHaveLength(1)
  }, 60_000)

  test('a bucket that does not do its part is told as what it is', async () => {
    const [one, { at, env, secrets }] = [await newInstance(), await start()]
    await one.stop()
    const wrong = { ...env, LATCHKEY_BACKUP_S3_SECRET_KEY: 'another' }
    expect((await cli(one.folder, ['backup'], wrong)).said).toMatch(/^The bucket did not do its part: .*40[03]/m)
    expect((await cli(emptyFor(one.folder), ['restore', at('none.backup')], secrets)).said).toContain(
      'There is no backup of that name',
    )
    expect((await cli(emptyFor(one.folder), ['restore', at('none.backup')])).said).toContain('A bucket needs')
  }, 60_000)
})

describe.skipIf(!hasS3())('of media in a bucket', () => {
  test('a backup names it and leaves it there; a restore looks for each, and tells which is gone', async () => {
    const { s3, keys, at } = await newBucket()
    const env = { LATCHKEY_BLOBS: at(), LATCHKEY_S3_ACCESS_KEY: keys.access, LATCHKEY_S3_SECRET_KEY: keys.secret }
    const one = await newInstance(env)
    await one.stop()
    const file = join(newFolder(), 'a.backup')
    const told = await cli(one.folder, ['backup', file], env)
    expect(told).toMatchObject({ code: 0 })
    expect(told.said).toContain('Backed up with 2 of 2 media, by name')
    expect(Bun.file(file).size).toBeLessThan(1_000_000)
    expect((await cli(one.folder, ['drill', file], env)).said).toContain('media objects: 2 of 2, left at http://')
    const folder = emptyFor(one.folder)
    expect(await cli(folder, ['restore', file], env)).toMatchObject({ code: 0 })
    const answers = await served(folder, env, one)
    for (const [i, answer] of answers.entries())
      expect(Buffer.from(await answer.arrayBuffer()).equals(one.bytes[i]!)).toBe(true)
    const [first] = await Array.fromAsync(s3.list('objects/'))
    await s3.remove(first!.key)
    const restored = await cli(emptyFor(one.folder), ['restore', file], env)
    expect(restored.said).toContain('media objects: 1 of 2')
    expect((await cli(one.folder, ['drill', file], env)).code).toBe(1)
  }, 60_000)
})
