// What nobody needs any more goes, in time, and nothing else does.
import { afterEach, beforeEach, expect, spyOn, test } from 'bun:test'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestApp, testApp } from './support'

const day = 86_400_000
let app: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
beforeEach(async () => {
  app = await testApp()
  admin = await app.as('admin')
})
afterEach(() => app.stop())

const folder = (name: 'objects' | 'staged') => join(app.mediaFolder, name)
const objects = () => readdirSync(folder('objects')).sort()
const sweep = () => app.app.services.sweepMedia(new AbortController().signal)
const age = (name: 'objects' | 'staged', key: string, ms: number) => {
  const at = (app.clock.now() - ms) / 1000
  utimesSync(join(folder(name), key), at, at)
}
const upload = async () => {
  const { body } = await app.call('POST', '/api/media', { headers: admin.headers, raw: 'bytes' })
  return body.id as string
}
const nothing = { staged: 0, purged: 0, orphans: 0 }

test('a deleted file keeps its bytes for 30 days, and then loses them and its row, under audit', async () => {
  const [kept, deleted] = [await upload(), await upload()]
  await admin.delete(`/api/media/${deleted}`)
  app.clock.advance(30 * day)
  expect(await sweep()).toEqual(nothing)
  expect(objects()).toHaveLength(2)
  app.clock.advance(1)
  expect(await sweep()).toEqual({ ...nothing, purged: 1 })
  expect(objects()).toHaveLength(1)
  const again = await app.signIn(admin.email)
  expect((await app.fetch('GET', `/media/${kept}`, { headers: again.headers })).status).toBe(200)
  const { body } = await again.get('/api/audit?action=media.purged')
  expect(body.data).toMatchObject([{ targets: [deleted], actor: { type: 'system' } }])
  expect(await sweep()).toEqual(nothing)
})

test('a part that nobody went on with for a day is forgotten; a younger one may still end', async () => {
  const { blobs } = app.ports
  const [old, young] = ['o'.repeat(26), 'y'.repeat(26)]
  const parts = [await blobs.stage(old, null), await blobs.stage(young, null)]
  age('staged', old, day + 1000)
  age('staged', young, day - 1000)
  expect(await sweep()).toEqual({ ...nothing, staged: 1 })
  expect(readdirSync(folder('staged'))).toEqual([young])
  for (const part of parts) await part.discard()
})

test('an object whose row was never written is collected after a day; files, deleted ones too, keep theirs', async () => {
  const deleted = await upload()
  await upload()
  await admin.delete(`/api/media/${deleted}`)
  const mine = objects()
  for (const key of ['o'.repeat(26), 'y'.repeat(26)]) {
    const staged = await app.ports.blobs.stage(key, null)
    await staged.publish()
    age('objects', key, key.startsWith('o') ? day + 1000 : day - 1000)
  }
  for (const key of mine) age('objects', key, 2 * day)
  expect(await sweep()).toEqual({ ...nothing, orphans: 1 })
  expect(objects()).toEqual([...mine, 'y'.repeat(26)].sort())
})

test('it goes on past a full batch of each', async () => {
  const keys = Array.from({ length: 501 }, (_, i) => `k${i}k`.padEnd(26, '0'))
  for (const key of keys) {
    writeFileSync(join(folder('objects'), key), '')
    age('objects', key, 2 * day)
  }
  const files = (await Promise.all(Array.from({ length: 51 }, upload))).concat(
    await Promise.all(Array.from({ length: 50 }, upload)),
  )
  await Promise.all(files.map((id) => admin.delete(`/api/media/${id}`)))
  app.clock.advance(31 * day)
  expect(await sweep()).toEqual({ staged: 0, purged: 101, orphans: 501 })
  expect(objects()).toEqual([])
}, 20_000)

/** An object without a row, a day and a second old. */
const leave = async (key: string) => {
  await (await app.ports.blobs.stage(key, null)).publish()
  age('objects', key, day + 1000)
}
test('it goes on past the end of its lease, which it renews: a large store has an end too', async () => {
  const { blobs } = app.ports
  for (const key of ['o'.repeat(26), 'p'.repeat(26)]) await leave(key)
  const timers = spyOn(globalThis, 'setTimeout')
  const { list } = blobs
  blobs.list = async function* (before) {
    for await (const key of list(before)) {
      // Whatever was to happen when a lease of a minute ends happens now.
      for (const [act, ms = 0] of timers.mock.calls) if (ms > 30_000) (act as () => void)()
      yield key
    }
  }
  await app.app.services.jobs.runNow('media')
  timers.mockRestore()
  expect(objects()).toEqual([])
})

const restoredAt = (at: number) =>
  app.db.batch([{ sql: `update meta set value = '${at}' where name = 'generation'`, args: [], acrossTenants: 'test' }])

test('what has no row since a backup was restored is kept for 30 days, for a newer one that may be restored instead', async () => {
  await restoredAt(app.clock.now())
  await leave('o'.repeat(26))
  expect(await sweep()).toEqual(nothing)
  app.clock.advance(30 * day - 1)
  expect(await sweep()).toEqual(nothing)
  app.clock.advance(1)
  expect(await sweep()).toEqual({ ...nothing, orphans: 1 })
})

test('where another instance keeps its media nothing is removed, until the operator says that it is ours', async () => {
  const deleted = await upload()
  await admin.delete(`/api/media/${deleted}`)
  const part = await app.ports.blobs.stage('s'.repeat(26), null)
  await part.pause()
  app.clock.advance(31 * day)
  age('staged', 's'.repeat(26), 2 * day)
  await leave('o'.repeat(26))
  await app.ports.blobs.setOwner('another 1')
  await expect(sweep()).rejects.toThrow('it belongs to another instance')
  expect([objects().length, readdirSync(folder('staged')).length]).toEqual([2, 1])
  const isWell = async () => (await app.call('GET', '/v1/health/ready')).body
  expect(await isWell()).toMatchObject({ status: 'ok', checks: { media: 'failing' } })
  await app.app.services.mediaOwner.take()
  app.clock.advance(1000)
  expect(await isWell()).toMatchObject({ checks: { media: 'ok' } })
  expect(await sweep()).toEqual({ staged: 1, purged: 1, orphans: 1 })
})

test('the place is of whoever sweeps there first; restored, the same instance is another until it is told', async () => {
  await sweep()
  expect(await app.ports.blobs.owner()).toMatch(/^[0-9a-f]{32} 1$/)
  expect(await sweep()).toEqual(nothing)
  await restoredAt(2)
  await expect(sweep()).rejects.toThrow('before it was restored')
  await app.app.services.mediaOwner.take()
  expect(await sweep()).toEqual(nothing)
})
