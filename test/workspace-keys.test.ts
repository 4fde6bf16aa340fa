// The keys of workspaces: one for each, made once, readable by the master key alone, gone with their workspace.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { eq } from 'drizzle-orm'
import { media, projects, workspaceKeys, workspaces } from '../db/schema'
import { openKeyring } from '../src/keyring'
import type { MasterKeys } from '../src/keyring/master-keys'
import { createWorkspaceKeys } from '../src/keyring/workspace-keys'
import { randomBytes } from '../src/lib/crypto'
import type { WorkspaceId } from '../src/permissions'
import { createRevocations, revoke } from '../src/revocation'
import { builder, createUnaudited, createWrite, statement } from '../src/write'
import { newTestClock } from './clock'
import { newTestDatabase } from './template'

const newMaster = (kid: string): MasterKeys => [{ kid, key: randomBytes(32) }]
const [one, two] = [1 as WorkspaceId, 2 as WorkspaceId]
const clock = newTestClock()
const master = newMaster('m1')
let { db, path, close } = {} as Awaited<ReturnType<typeof newTestDatabase>>

/** What a node that starts now has of them. */
const start = async (masters: MasterKeys = master) => {
  const revocations = createRevocations(db)
  const keyring = await openKeyring({ db, master: masters, clock })
  const keys = createWorkspaceKeys({ db, unaudited: createUnaudited(db), keyring, revocations, clock })
  return { ...keys, write: createWrite({ db, clock, revocations }) }
}
const send = (...queries: Parameters<typeof statement>[0][]) =>
  db.batch(queries.map((query) => ({ ...statement(query), acrossTenants: 'a test' })))
const rows = () => db.acrossTenants('a test', (orm) => orm.select().from(workspaceKeys).all())
const refusal = (masters: MasterKeys) =>
  start(masters).then(
    () => 'started',
    (error: Error) => error.message,
  )
const workspace = (workspaceId: WorkspaceId) => ({
  ...{ workspaceId, id: `wsp_${workspaceId}`, name: 'A', createdBy: 'usr_1', createdAt: 0 },
})

beforeEach(async () => {
  ;({ db, path, close } = await newTestDatabase())
  await send(builder.insert(workspaces).values([one, two].map(workspace)))
})
afterEach(() => close())

test('each workspace gets one of its own when it is first asked for, and keeps it', async () => {
  const node = await start()
  expect(await node.find(one, 'media')).toBeNull()
  const [a, b] = [await node.get(one, 'media'), await node.get(two, 'media')]
  expect([a.length, Buffer.from(a).equals(b)]).toEqual([32, false])
  const later = await start()
  expect([await later.find(one, 'media'), await later.get(two, 'media')]).toEqual([a, b])
})

test('nodes that ask first at once end with the same one', async () => {
  const nodes = await Promise.all([start(), start(), start()])
  const keys = await Promise.all([...nodes, ...nodes].map((node) => node.get(one, 'media')))
  for (const key of keys) expect(key).toEqual(keys[0]!)
  expect(await rows()).toHaveLength(1)
})

test('is nowhere readable in the database, and opens in no other row', async () => {
  const node = await start()
  const [key] = [await node.get(one, 'media'), await node.get(two, 'media')]
  const bytes = Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)])
  for (const form of ['hex', 'base64', 'base64url'] as const)
    expect(bytes.includes(Buffer.from(key).toString(form).replace(/=+$/, ''))).toBeFalse()
  const [first, second] = await rows()
  await send(builder.update(workspaceKeys).set({ wrapped: second!.wrapped }).where(eq(workspaceKeys.kid, first!.kid)))
  await expect((await start()).find(one, 'media')).rejects.toThrow('does not open')
  expect(await (await start()).find(two, 'media')).not.toBeNull()
})

test('is wrapped anew when the master key is another, however many there are; then the old one is not needed', async () => {
  const node = await start()
  const key = await node.get(one, 'media')
  const [row] = await rows()
  const many = Array.from({ length: 600 }, (_, i) => ({ ...row!, workspaceId: (1000 + i) as WorkspaceId }))
  const keyring = await openKeyring({ db, master, clock })
  const own = many.map((it) => ({ ...it, wrapped: keyring.wrapper.wrap(key, [it.workspaceId, it.kid, it.purpose]) }))
  await send(...own.map((it) => builder.insert(workspaceKeys).values(it)))
  const next = newMaster('m2')
  const after = await start([...next, ...master])
  expect(await after.find(one, 'media')).toEqual(key)
  expect(new Set((await rows()).map(({ wrapped }) => wrapped.split('.')[0]))).toEqual(new Set(['m2']))
  expect(await (await start(next)).find(one, 'media')).toEqual(key)
})

test('under a master key that is not given stops the start, and nothing is written', async () => {
  await (await start()).get(one, 'media')
  const [row] = await rows()
  const wrapped = row!.wrapped.replace(/^m1/, 'lost')
  await send(builder.update(workspaceKeys).set({ wrapped }))
  expect(await refusal(master)).toContain('needs the master key "lost"')
  expect(await rows()).toEqual([{ ...row!, wrapped }])
})

test('is not made for a workspace that is gone, nor over files that were sealed by one that is lost', async () => {
  const node = await start()
  await expect(node.get(3 as WorkspaceId, 'media')).rejects.toThrow('internal')
  const project = { workspaceId: one, id: 'prj_1', slug: 'a', name: 'A', createdAt: 0 }
  const file = {
    workspaceId: one,
    id: 'med_1',
    projectId: 'prj_1',
    name: 'a',
    size: 1,
    blob: 'b',
    sha256: '',
    key: 'k',
  }
  const by = 'usr_1'
  const row = { ...file, declaredType: '', type: '', createdBy: by, createdAt: 0, changedBy: by, changedAt: 0 }
  await send(builder.insert(projects).values(project), builder.insert(media).values(row))
  await expect(node.get(one, 'media')).rejects.toThrow('internal')
  expect(await rows()).toEqual([])
  expect((await node.get(two, 'media')).length).toBe(32)
})

test('is not known any more once its workspace is revoked and its row is gone', async () => {
  const node = await start()
  const key = await node.get(one, 'media')
  await send(builder.delete(workspaceKeys))
  expect(await node.find(one, 'media')).toEqual(key)
  const event = { action: 'workspace.deleted', targets: ['wsp_1'] }
  await node.write({ type: 'system', origin: null }, event, [revoke(0, 'workspace:wsp_1')])
  expect(await node.find(one, 'media')).toBeNull()
})

test('is not in what is left of the database file once its row is gone', async () => {
  const node = await start()
  await node.get(one, 'media')
  const [row] = await rows()
  await send(builder.delete(workspaceKeys))
  await db.close()
  const left = readFileSync(path)
  ;({ db, path, close } = await newTestDatabase())
  expect([left.includes('wsp_1'), left.includes(row!.wrapped)]).toEqual([true, false])
})
