// Backups that are made by themselves: when one is due, by one node; old ones go once a new one is sound; failures are told.
import { afterEach, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { prune } from '../src/backup/keep'
import { nameOf, readName } from '../src/backup/names'
import { createFolderPlace } from '../src/backup/place'
import type { Backups } from '../src/ports'
import { cli, newInstance, serve } from './backup-house'
import { type TestApp, testApp } from './support'
import { newFolder } from './template'

const hour = 3_600_000
const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

type There = Awaited<ReturnType<Backups['list']>>
type Fake = Backups & { there: There; fails: string | null; instance: { instance: string; generation: number } }

/** A place in memory, at the clock of the app it is given to. */
const newFake = (now: () => number): Fake => {
  const fake: Fake = {
    ...{ there: [], fails: null, instance: { instance: '', generation: 1 } },
    list: async () => fake.there,
    make: async () => {
      if (fake.fails !== null) throw new Error(fake.fails)
      const named = { ...fake.instance, at: now() }
      fake.there = [...fake.there, { ...named, name: `at ${named.at}` }]
    },
  }
  return fake
}

const start = async () => {
  let now = () => 0
  const backups = newFake(() => now())
  const env = { LATCHKEY_BACKUP_TO: 'file:/nowhere', LATCHKEY_OPERATORS: 'root@example.com' }
  const t: TestApp = await testApp({ env, ports: { backups } })
  endings.push(t.stop)
  now = t.clock.now
  const facts = await t.db.orm
    .select()
    .from((await import('../db/schema')).meta)
    .prepare()
    .all()
  backups.instance.instance = facts.find(({ name }) => name === 'instance_id')!.value
  const run = () => t.app.services.jobs.runNow('backup')
  const ready = async () => {
    t.clock.advance(1000)
    return (await t.call('GET', '/v1/health/ready')).body
  }
  return { ...t, backups, run, ready }
}

const made = async (t: TestApp) => {
  const { auditEvents } = await import('../db/schema')
  const rows = await t.db.acrossTenants('test', (orm) => orm.select().from(auditEvents).prepare()).all()
  return rows.filter(({ action }) => action === 'backup.made')
}

test('one is made when the newest there is has become old enough, and not before; the audit says so', async () => {
  const t = await start()
  await t.run()
  expect(t.backups.there).toHaveLength(1)
  t.clock.advance(24 * hour - 1)
  await t.run()
  expect(t.backups.there).toHaveLength(1)
  t.clock.advance(1)
  await t.run()
  expect(t.backups.there).toHaveLength(2)
  const events = await made(t)
  expect(events.map(({ actorType, change }) => [actorType, change])).toEqual(
    t.backups.there.map(({ name }) => ['system', { made: [name], removed: 0 }]),
  )
})

test('what is there of another instance, or from before a restore, is none of ours', async () => {
  const t = await start()
  const { instance } = t.backups.instance
  const others = [
    { instance: 'f'.repeat(32), generation: 1 },
    { instance, generation: 0 },
  ]
  t.backups.there = others.map((other, i) => ({ ...other, at: t.clock.now(), name: `${i}` }))
  await t.run()
  expect(t.backups.there).toHaveLength(3)
})

test('one that failed is told by ready, which stays ready, and to operators; and tried again', async () => {
  const t = await start()
  await t.run()
  expect(await t.ready()).toMatchObject({ status: 'ok', checks: { backup: 'ok' } })
  t.clock.advance(24 * hour)
  t.backups.fails = 'No room.'
  await expect(t.run()).rejects.toThrow('No room.')
  expect(await t.ready()).toMatchObject({ status: 'ok', checks: { backup: 'failing' } })
  const operator = await t.signIn('root@example.com')
  const { body } = await operator.get('/api/operator/health')
  expect(body.alerts).toContainEqual({ code: 'check_failing', detail: 'backup' })
  t.backups.fails = null
  await t.run()
  expect(await t.ready()).toMatchObject({ checks: { backup: 'ok' } })
  expect(t.backups.there).toHaveLength(2)
})

test('where none has come for longer than there may be between two, each node says so', async () => {
  const t = await start()
  expect(await t.ready()).toMatchObject({ checks: { backup: 'failing' } })
  await t.run()
  t.clock.advance(25 * hour - 1000)
  expect(await t.ready()).toMatchObject({ checks: { backup: 'ok' } })
  t.clock.advance(61_000)
  expect(await t.ready()).toMatchObject({ checks: { backup: 'failing' } })
})

test('a failure is told until one has come since, by whichever node or by hand', async () => {
  const t = await start()
  await t.run()
  t.clock.advance(24 * hour)
  t.backups.fails = 'No room.'
  await expect(t.run()).rejects.toThrow('No room.')
  t.clock.advance(61_000)
  expect(await t.ready()).toMatchObject({ checks: { backup: 'failing' } })
  t.backups.there.push({ ...t.backups.instance, at: t.clock.now(), name: 'of another node' })
  t.clock.advance(61_000)
  expect(await t.ready()).toMatchObject({ checks: { backup: 'ok' } })
})

test('one that is named for a time to come does not count: backups go on, and ready says so until it is gone', async () => {
  const t = await start()
  t.backups.there = [{ ...t.backups.instance, at: t.clock.now() + 90 * 24 * hour, name: 'ahead' }]
  await t.run()
  expect(t.backups.there).toHaveLength(2)
  expect(await t.ready()).toMatchObject({ checks: { backup: 'failing' } })
  t.backups.there.shift()
  t.clock.advance(61_000)
  expect(await t.ready()).toMatchObject({ checks: { backup: 'ok' } })
})

test('whoever asks while one is being made is told what was found, not of a mistake in asking', async () => {
  const t = await start()
  const { list } = t.backups
  const held = Promise.withResolvers<There>()
  t.backups.list = () => {
    t.backups.list = list
    return held.promise
  }
  const asked = t.app.services.backups!.check()
  await t.run()
  held.resolve(t.backups.there)
  await asked
})

test('names say instance, generation and instant, and sort by it', () => {
  const named = { instance: 'a'.repeat(32), generation: 1_795_000_000, at: Date.UTC(2026, 10, 21, 9, 5, 7, 42) }
  expect(nameOf(named)).toBe(`latchkey-${named.instance}-1795000000-20261121T090507042Z.backup`)
  expect(readName(nameOf(named))).toEqual(named)
  expect(readName(`${nameOf(named)}.part`)).toBeNull()
  const names = [0, 1, 60, 86_400].map((s) => nameOf({ ...named, at: named.at + s * 999 }))
  expect(names.toSorted()).toEqual(names)
})

test('the newest are kept, of this instance and generation alone; what others keep there stays', async () => {
  const folder = newFolder()
  const ours = { instance: 'a'.repeat(32), generation: 2 }
  const at = (n: number, of = ours) => nameOf({ ...of, at: n * 86_400_000 })
  const others = [at(1, { ...ours, generation: 1 }), at(1, { ...ours, instance: 'b'.repeat(32) }), 'notes.txt']
  for (const name of [...others, ...[1, 2, 3, 4].map((n) => at(n))]) writeFileSync(join(folder, name), '')
  expect(await prune(createFolderPlace(folder), { ...ours, at: 4 * 86_400_000 }, 2)).toBe(2)
  expect(readdirSync(folder).toSorted()).toEqual([...others, at(3), at(4)].toSorted())
})

test('what was just made is kept, also where a clock that was ahead has named another', async () => {
  const to = newFolder()
  const one = await newInstance()
  await one.stop()
  const env = { LATCHKEY_BACKUP_TO: `file:${to}`, LATCHKEY_BACKUP_KEEP: '1' }
  expect((await cli(one.folder, ['backup'], env)).code).toBe(0)
  const [first = ''] = readdirSync(to)
  const ahead = nameOf({ ...readName(first)!, at: Date.now() + 90 * 24 * hour })
  renameSync(join(to, first), join(to, ahead))
  for (const _ of [1, 2]) expect((await cli(one.folder, ['backup'], env)).code).toBe(0)
  const [second = '', ...more] = readdirSync(to).toSorted()
  expect(more).toEqual([ahead])
  expect(readName(second)!.at).toBeGreaterThan(readName(first)!.at)
  const { said } = await cli(one.folder, ['backups'], env)
  expect(said).toContain(`${ahead} (named for a time to come`)
  expect(said).toContain(`${second}\n`)
  rmSync(join(to, second))
  expect((await cli(one.folder, ['drill'], env)).said).toContain('There is no backup of this instance')
}, 60_000)

test('the server makes them, in a process of its own, and keeps as many as the settings say', async () => {
  const to = newFolder()
  const env = { LATCHKEY_BACKUP_TO: `file:${to}`, LATCHKEY_BACKUP_KEEP: '1' }
  const one = await newInstance(env)
  endings.push(one.stop)
  while (!readdirSync(to).some((name) => readName(name))) await Bun.sleep(20)
  const [first = ''] = readdirSync(to)
  expect((await cli(one.folder, ['drill'], env)).code).toBe(0)
  expect((await cli(one.folder, ['backup'], env)).code).toBe(0)
  const { said } = await cli(one.folder, ['backups'], env)
  expect(said.split('\n')).toEqual([...readdirSync(to), ''])
  expect(readdirSync(to)).not.toContain(first)
}, 60_000)

test('while media is not sound none is removed: the last good one stays', async () => {
  const to = newFolder()
  const env = { LATCHKEY_BACKUP_TO: `file:${to}`, LATCHKEY_BACKUP_KEEP: '1' }
  const one = await newInstance()
  await one.stop()
  expect((await cli(one.folder, ['backup'], env)).code).toBe(0)
  const [good = ''] = readdirSync(to)
  rmSync(join(one.folder, 'media/objects'), { recursive: true })
  mkdirSync(join(one.folder, 'media/objects'))
  const bad = await cli(one.folder, ['backup'], env)
  expect(bad.code).toBe(1)
  expect(bad.said).toContain('not all media is sound')
  expect(readdirSync(to)).toContain(good)
  expect(readdirSync(to)).toHaveLength(2)
}, 60_000)

test('no server starts whose backups would lie among its data, or its data among them; beside it one does', async () => {
  const [home, links] = [newFolder(), newFolder()]
  const [folder, link] = [join(home, 'data'), join(links, 'link')]
  symlinkSync(home, link)
  const startWith = (to: string) => serve(folder, { LATCHKEY_BACKUP_TO: `file:${to}` })
  for (const to of [folder, `${folder}/backups`, `${link}/data/backups`, home, link])
    await expect(startWith(to)).rejects.toThrow(/^LATCHKEY_BACKUP_TO must name a folder outside those of data/)
  expect(readdirSync(home)).toEqual([])
  for (const to of [`${folder}-backups`, `${link}/backups`]) await (await startWith(to)).stop()
  expect(readdirSync(folder)).toContain('latchkey.db')
}, 60_000)
