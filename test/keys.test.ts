// API keys: made by a freshly signed-in admin, proved by their hash, refused from the moment they are revoked.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { and, eq } from 'drizzle-orm'
import { auditEvents, members, projects } from '../db/schema'
import { CreateKey } from '../src/features/keys/model'
import { type KeyService, keyService } from '../src/features/keys/service'
import { newId } from '../src/lib/id'
import { newKeyToken } from '../src/lib/key-token'
import { PageQuery } from '../src/lib/page'
import type { Database } from '../src/ports'
import { createReceipt } from '../src/receipt'
import { createHeldCache } from '../src/revocation'
import { builder, statement } from '../src/write'
import { type House, keyActor, newHouse } from './house'

let house: House
let keys: KeyService
let acme: Awaited<ReturnType<House['newTenant']>>
const minute = 60_000

const newReceipt = createReceipt(async () => ({ boundMs: 0, confirmed: true }))
const newService = (db: Database = house.db) => keyService({ ...house, db, prefix: 'ml', newReceipt })
const create = (input: Record<string, unknown> = {}) =>
  keys.create(acme.admin, CreateKey.parse({ name: 'CI', ...input }))
const failure = async (work: Promise<unknown>) =>
  (await work.then(
    () => null,
    (error) => error.code,
  )) as string | null
const audited = () =>
  house.db.acrossTenants('a test looks at everything', (orm) => orm.select().from(auditEvents).all())

beforeEach(async () => {
  house = await newHouse()
  keys = newService()
  acme = await house.newTenant()
})
afterEach(() => house.close())

test('a key is shown once and proves its workspace, level, environment and projects', async () => {
  const made = await create({ level: 'write', environment: 'test', projects: [acme.projectId] })
  expect(made.token).toMatch(/^ml_test_[0-9A-Za-z]{46}$/)
  const { token, ...rest } = made
  expect(await keys.get(acme.admin, made.id)).toEqual(rest)
  expect(await keys.prove(token)).toEqual({
    value: {
      ...{ id: made.id, workspace: acme.admin.workspace, level: 'write', environment: 'test' },
      ...{ projects: [acme.projectId], lineage: made.id, ipAllow: null, expiresAt: null },
    },
    subjects: [`key:${made.id}`, `workspace:${acme.admin.workspace.publicId}`],
    expiresAt: Number.POSITIVE_INFINITY,
  })
})

test('a key is admin of every project unless narrowed', async () => {
  expect(await create()).toMatchObject({ level: 'admin', environment: 'live', projects: null, status: 'active' })
})

test('no byte of a token beyond its hint is in the database, its log or the audit', async () => {
  const { token, hint } = await create()
  const bytes = ['', '-wal'].map((end) => readFileSync(house.path + end).toString('latin1')).join('')
  expect(bytes).toContain(hint)
  expect(bytes).not.toContain(token)
  expect(bytes).not.toContain(token.slice(hint.length))
  expect(JSON.stringify(await audited())).not.toContain(hint)
})

test('what is not a token of ours costs no look-up, an unknown one costs one and proves nothing', async () => {
  let lookups = 0
  const counting = newService({
    ...house.db,
    acrossTenants: (why, fn) =>
      house.db.acrossTenants(why, (orm) => {
        const prepared = fn(orm) as { get: (args: object) => unknown }
        const get = (args: object) => {
          lookups++
          return prepared.get(args)
        }
        return { ...prepared, get } as ReturnType<typeof fn>
      }),
  })
  const { token } = await create()
  for (const nonsense of ['', 'ml_live_', `${token}0`, token.slice(1), token.replace('live', 'test'), `${token}'--`])
    expect(await counting.prove(nonsense)).toBeNull()
  expect(lookups).toBe(0)
  expect(await counting.prove(newKeyToken('ml', 'live'))).toBeNull()
  expect(lookups).toBe(1)
  expect(await counting.prove(token)).not.toBeNull()
})

test('only a person who signed in within ten minutes makes a key', async () => {
  house.clock.advance(10 * minute)
  expect(await failure(create())).toBeNull()
  house.clock.advance(1)
  expect(await failure(create())).toBe('step_up_required')
  expect(await failure(keys.create(keyActor(acme.admin, newId('key'), 'admin'), CreateKey.parse({ name: 'CI' })))).toBe(
    'forbidden',
  )
})

test('whoever lost their role while asking makes no key', async () => {
  const isMaker = and(eq(members.workspaceId, acme.admin.workspace.id), eq(members.userId, acme.userId))
  await house.db.batch([statement(builder.update(members).set({ role: 'member' }).where(isMaker))])
  expect(await failure(create())).toBe('forbidden')
  await house.db.batch([statement(builder.update(members).set({ role: 'admin' }).where(isMaker))])
  expect(await failure(create())).toBeNull()
})

test("a key names only its own workspace's projects, and only those its maker may enter", async () => {
  const other = await house.newTenant()
  const restricted = { workspaceId: acme.admin.workspace.id, id: newId('prj'), slug: 'r', name: 'R', createdAt: 1 }
  await house.db.batch([statement(builder.insert(projects).values({ ...restricted, restricted: true }))])
  for (const id of [other.projectId, restricted.id, newId('prj')])
    expect(await failure(create({ level: 'write', projects: [acme.projectId, id] }))).toBe('not_found')
  // A list of the actor's that is behind the database does not help.
  const stale = { ...acme.admin, projects: [acme.projectId, other.projectId] }
  expect(
    await failure(keys.create(stale, CreateKey.parse({ name: 'CI', level: 'write', projects: [other.projectId] }))),
  ).toBe('not_found')
  expect((await keys.list(acme.admin, { limit: 50, cursor: null })).data).toEqual([])
  expect(await failure(create({ level: 'read', projects: [acme.projectId] }))).toBeNull()
})

test('a key ends at its expiry, also while it is cached', async () => {
  expect(await failure(create({ expires_at: new Date(house.clock.now()).toISOString() }))).toBe('invalid')
  const { id, token } = await create({ expires_at: new Date(house.clock.now() + minute).toISOString() })
  const cache = createHeldCache(house.revocations, house.clock, 10)
  expect(await cache.fill(token, () => keys.prove(token))).not.toBeNull()
  house.clock.advance(minute - 1)
  expect(cache.get(token)).toBeDefined()
  expect(await keys.prove(token)).not.toBeNull()
  house.clock.advance(1)
  expect(cache.get(token)).toBeUndefined()
  expect(await keys.prove(token)).toBeNull()
  expect((await keys.get(acme.admin, id)).status).toBe('expired')
})

test('a revoked key is refused at once, cached or not, and its receipt stays the same', async () => {
  const [ended, kept] = [await create(), await create()]
  const cache = createHeldCache(house.revocations, house.clock, 10)
  for (const { token } of [ended, kept]) await cache.fill(token, () => keys.prove(token))
  const receipt = await keys.revoke(acme.admin, ended.id)
  expect(receipt).toEqual({
    revoked_at: new Date(house.clock.now()).toISOString(),
    this_node: 'immediate',
    other_nodes: { bound_ms: 0, confirmed: true },
  })
  expect(cache.get(ended.token)).toBeUndefined()
  expect(await cache.fill(ended.token, () => keys.prove(ended.token))).toBeNull()
  expect(cache.get(kept.token)).toBeDefined()
  house.clock.advance(minute)
  expect(await keys.revoke(acme.admin, ended.id)).toEqual(receipt)
  expect((await keys.get(acme.admin, ended.id)).status).toBe('revoked')
  expect((await audited()).filter((e) => e.action === 'key.revoked')).toHaveLength(1)
})

test('of 1,000 look-ups under way when a key is revoked, none is accepted after the receipt', async () => {
  const { id, token } = await create()
  const caches = Array.from({ length: 1000 }, () => createHeldCache(house.revocations, house.clock, 1))
  const turns = async (count: number) => {
    for (let turn = 1; turn <= count; turn++) await (turn % 10 === 0 ? new Promise((next) => setImmediate(next)) : null)
  }
  const fills = caches.map(async (cache, i) => {
    await turns(i % 100)
    return cache.fill(token, () => keys.prove(token))
  })
  await turns(50)
  await keys.revoke(acme.admin, id)
  const found = await Promise.all(fills)
  expect(caches.filter((cache) => cache.get(token) !== undefined)).toEqual([])
  // Some were let in before it and some came too late, or this was no race.
  expect(new Set(found.map((proof) => proof !== null)).size).toBe(2)
})

test('a key may end itself, and another only if its level is admin', async () => {
  const [own, other] = [await create({ level: 'read' }), await create({ level: 'read' })]
  expect(await failure(keys.revoke(keyActor(acme.admin, own.id, 'read'), other.id))).toBe('forbidden')
  expect(await keys.prove(other.token)).not.toBeNull()
  expect(await failure(keys.revoke(keyActor(acme.admin, own.id, 'read'), own.id))).toBeNull()
  expect(await keys.prove(own.token)).toBeNull()
  expect(await failure(keys.revoke(keyActor(acme.admin, newId('key'), 'admin'), other.id))).toBeNull()
  expect(await keys.prove(other.token)).toBeNull()
})

test("another workspace's key is as none", async () => {
  const [{ id, token }, stranger] = [await create(), (await house.newTenant()).admin]
  for (const strange of [id, newId('key')]) {
    expect(await failure(keys.get(stranger, strange))).toBe('not_found')
    expect(await failure(keys.update(stranger, strange, { name: 'mine' }))).toBe('not_found')
    expect(await failure(keys.revoke(stranger, strange))).toBe('not_found')
  }
  expect((await keys.list(stranger, { limit: 50, cursor: null })).data).toEqual([])
  expect(await keys.get(acme.admin, id)).toMatchObject({ name: 'CI', status: 'active' })
  expect(await keys.prove(token)).not.toBeNull()
  expect((await keys.update(acme.admin, id, { name: 'Deploy' })).name).toBe('Deploy')
})

test('a list has every key once, newest first, over pages, and never a token', async () => {
  const made = []
  for (let i = 0; i < 5; i++) {
    if (i % 2) house.clock.advance(1)
    made.push(await create({ name: `key ${i}` }))
  }
  const seen: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await keys.list(acme.admin, PageQuery.parse({ limit: 2, ...(cursor && { cursor }) }))
    seen.push(...page.data.map((key) => key.id))
    expect(JSON.stringify(page)).not.toContain('token')
    cursor = page.next_cursor
  }
  expect(seen).toHaveLength(5)
  expect([...seen].sort()).toEqual(made.map((key) => key.id).sort())
  expect(seen[0]).toBeOneOf(made.slice(3).map((key) => key.id))
})

test('keys made under an older pepper go on working', async () => {
  const before = await create()
  await house.keyring.rotate('pepper', house.clock.now() + 1)
  house.clock.advance(1)
  const after = await create()
  for (const { id, token } of [before, after]) expect((await keys.prove(token))?.value.id).toBe(id)
})

test('uses are gathered in memory and written together, the latest of each key', async () => {
  const [a, b] = [await create(), await create()]
  const lastUsed = async (id: string) => (await keys.get(acme.admin, id)).last_used_at
  const touch = (id: string) => keys.touch({ id, workspace: acme.admin.workspace })
  for (let i = 0; i < 100; i++) touch(a.id)
  house.clock.advance(minute)
  touch(a.id)
  expect(await lastUsed(a.id)).toBeNull()
  await keys.flushUsed()
  expect(await lastUsed(a.id)).toBe(new Date(house.clock.now()).toISOString())
  expect(await lastUsed(b.id)).toBeNull()
  expect((await audited()).filter((e) => !/created$/.test(e.action))).toEqual([])
})

test('a name is one line of text, an expiry is an instant, and nothing else is taken', () => {
  const refused = [
    { name: '' },
    { name: 'a\nb' },
    { name: 'x'.repeat(81) },
    { name: 'x', level: 'owner' },
    { name: 'x', environment: 'prod' },
    { name: 'x', projects: [] },
    { name: 'x', projects: ['prj_1'] },
    { name: 'x', projects: [acme.projectId, acme.projectId] },
    { name: 'x', expires_at: 'tomorrow' },
    { name: 'x', workspace_id: 1 },
  ]
  for (const body of refused) expect(CreateKey.safeParse(body).success).toBe(false)
  expect(CreateKey.parse({ name: ' x ', expires_at: '2030-01-01T01:00:00+01:00' })).toEqual({
    ...{ name: 'x', level: 'admin', environment: 'live', expires_at: Date.UTC(2030, 0, 1) },
  })
})
