// The audit over time: one broken chain stops no other, pruning leaves its mark, exports and backups are verified offline.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import Libsql from 'libsql'
import { meta } from '../db/schema'
import { openLocalDatabase } from '../src/adapters/database-libsql'
import { readPublished, verifyExport } from '../src/features/audit/offline'
import { type AuditService, auditService } from '../src/features/audit/service'
import { sha256 } from '../src/lib/crypto'
import { scrub } from '../src/lib/scrub'
import type { Actor } from '../src/permissions'
import type { Database } from '../src/ports'
import { createUnaudited } from '../src/write'
import { type House, newHouse } from './house'
import { newTestLog } from './support'
import { newFolder } from './template'

let house: House
let audit: AuditService
let acme: Actor
let chain: string
let seen: ReturnType<typeof newTestLog>
const day = 86_400_000
const intact = { intact: true, breach: null }
const broken = (reason: string, position: number) => ({ intact: false, breach: { reason, position } })

beforeEach(async () => {
  house = await newHouse()
  seen = newTestLog()
  audit = auditService({ ...house, log: seen.log })
  acme = (await house.newTenant()).admin
  chain = `workspace:${acme.workspace.id}`
})
afterEach(() => house.close())

/** In one commit, which is what takes time. */
const act = (actor: Actor, ...targets: string[]) =>
  house.write(
    actor,
    targets.map((target) => ({ action: 'thing.changed', targets: [target], change: { note: target } })),
    [],
  )
const things = (count: number) => Array.from({ length: count }, (_, i) => `thing_${i}`)
const tamper = (sql: string, path = house.path) => {
  const file = new Libsql(path)
  const { changes } = file.prepare(sql.replaceAll('$chain', `'${chain}'`)).run()
  file.close()
  expect(changes).toBeGreaterThan(0)
}
const grow = async (count: number) => {
  await act(acme, ...things(count))
  await audit.seal()
}
const exported = async (format: 'jsonl' | 'csv' = 'jsonl') => {
  const fresh = { ...acme, person: { ...acme.person!, authAt: house.clock.now() } }
  const body = await audit.export(fresh, async () => fresh, { format }).open()
  return (await new Response(body).text()).split(/\r?\n/)
}
const publicKey = async () => (await audit.verify(chain)).head!.public_key

test('a chain whose head was taken away is sealed no more, is told once, and holds no other chain up', async () => {
  const other = (await house.newTenant()).admin
  await grow(3)
  tamper('delete from audit_heads where chain = $chain')
  await act(acme, ...things(600))
  await act(other, 'theirs')
  expect(await audit.seal()).toBe(1)
  expect(await audit.seal()).toBe(0)
  expect(await audit.verify(`workspace:${other.workspace.id}`)).toMatchObject({ ...intact, head: { position: 2 } })
  expect((await audit.verify(chain)).intact).toBe(false)
  expect(seen.events.filter((e) => e.level === 'error').map((e) => e.fields.chain)).toEqual([chain])
})

test('a sealer that stood still between reading rows and heads numbers nothing that another has numbered', async () => {
  const stalling: Database = {
    ...house.db,
    acrossTenants: (why, fn) =>
      house.db.acrossTenants(why, (orm) => {
        const prepared = fn(orm) as { all: (args: object) => Promise<unknown> }
        const all = async (args: object) => {
          const rows = await prepared.all(args)
          await audit.seal()
          return rows
        }
        return { ...prepared, all } as ReturnType<typeof fn>
      }),
  }
  await act(acme, ...things(5))
  expect(await auditService({ ...house, db: stalling, log: seen.log }).seal()).toBe(0)
  expect(await audit.verify(chain)).toMatchObject({ ...intact, head: { position: 6 } })
  expect(seen.events.filter((e) => e.level === 'error')).toEqual([])
})

test('after 400 days rows go, a signed checkpoint stays, and the chain still holds and grows', async () => {
  await grow(6)
  house.clock.advance(399 * day)
  await grow(3)
  await audit.prune()
  expect((await exported()).length).toBeGreaterThan(9)
  house.clock.advance(2 * day)
  await audit.prune()
  expect(await audit.verify(chain)).toMatchObject({ ...intact, head: { position: 10 } })
  const positions = (await exported()).slice(1, -1).map((line) => JSON.parse(line).position)
  expect(positions[0]).toBe(8)
  await grow(2)
  expect(await audit.verify(chain)).toMatchObject(intact)
  house.clock.advance(500 * day)
  await audit.prune()
  expect(await audit.verify(chain)).toMatchObject(intact)
  await grow(1)
  expect(await audit.verify(chain)).toMatchObject(intact)
})

test('a beginning that was cut without a checkpoint of ours is found, and one moved or forged as well', async () => {
  await grow(6)
  tamper('delete from audit_events where chain = $chain and position <= 2')
  expect(await audit.verify(chain)).toMatchObject(broken('missing', 1))
  const cut = `insert into audit_checkpoints select chain, 2, 'x', at, kid, signature from audit_heads where chain = $chain`
  tamper(cut)
  expect(await audit.verify(chain)).toMatchObject(broken('forged', 0))
  tamper('delete from audit_checkpoints')
  house.clock.advance(401 * day)
  await audit.prune()
  // What does not hold is not pruned over.
  expect(await audit.verify(chain)).toMatchObject(broken('missing', 1))
})

test('a checkpoint that is moved on hides nothing, and a row put in before it is found', async () => {
  await grow(6)
  house.clock.advance(401 * day)
  await grow(4)
  await audit.prune()
  expect(await audit.verify(chain)).toMatchObject(intact)
  tamper(`insert into audit_events select workspace_id, 'evt_x', chain, action, actor_type, actor_id, targets, outcome,
    request_id, client, change, at, 3, hash from audit_events where chain = $chain and position = 9`)
  expect(await audit.verify(chain)).toMatchObject(broken('missing', 8))
  tamper("delete from audit_events where id = 'evt_x'")
  tamper('delete from audit_events where chain = $chain and position = 8')
  expect(await audit.verify(chain)).toMatchObject(broken('missing', 8))
  tamper('update audit_checkpoints set position = 8 where chain = $chain')
  expect(await audit.verify(chain)).toMatchObject(broken('forged', 0))
})

test('an export is verified offline with the public key, and each way to alter it is found', async () => {
  await grow(8)
  const lines = await exported()
  const key = await publicKey()
  expect(await verifyExport(lines, [key])).toEqual({ events: 9, breach: null })
  const text = lines.join('\n')
  expect(text).not.toContain(String(acme.workspace.id))
  const found = async (altered: string[], keys = [key]) => (await verifyExport(altered, keys)).breach
  expect(await found(lines.toSpliced(4, 1, lines[4]!.replace('thing_', 'thong_')))).toMatchObject({ reason: 'altered' })
  expect(await found(lines.toSpliced(3, 2, lines[4]!, lines[3]!))).toMatchObject({ reason: 'missing', position: 3 })
  expect(await found(lines.slice(0, -3))).toMatchObject({ reason: 'truncated', position: 8 })
  expect(await found(lines.toSpliced(5, 1))).toMatchObject({ reason: 'missing', position: 5 })
  expect(await found([lines[0]!.replace(/\\n9\\n/, '\\n8\\n'), ...lines.slice(1)])).toMatchObject({ reason: 'forged' })
  expect(await found(lines, ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'])).toMatchObject({ reason: 'forged' })
})

test('an export after pruning begins at its checkpoint and is verified all the same', async () => {
  await grow(6)
  house.clock.advance(401 * day)
  await grow(4)
  await audit.prune()
  const lines = await exported()
  expect(await verifyExport(lines, [await publicKey()])).toMatchObject({ events: 4, breach: null })
  const bare = JSON.stringify({ ...JSON.parse(lines[0]!), checkpoint: null })
  expect((await verifyExport([bare, ...lines.slice(1)], [await publicKey()])).breach).toMatchObject({
    reason: 'missing',
  })
})

test('heads are published once each time they move, whole through the scrubber of the log', async () => {
  await grow(2)
  await audit.publish()
  await audit.publish()
  const published = seen.events.filter((e) => e.message === 'audit head')
  expect(published).toHaveLength(2)
  const lines = published.map((e) => scrub(JSON.stringify(e.fields)))
  expect(readPublished(lines, [await publicKey()])).toHaveLength(2)
  expect(
    readPublished(
      lines.map((l) => l.replace('"position":', '"position":1')),
      [await publicKey()],
    ),
  ).toEqual([])
  expect(lines.join()).not.toContain(String(acme.workspace.id))
})

test('a restored backup holds by itself, and is found by a head that was published after it', async () => {
  await grow(3)
  await house.db.check()
  const backup = join(newFolder(), 'latchkey.db')
  for (const end of ['', '-wal']) copyFileSync(house.path + end, backup + end)
  await grow(3)
  await audit.publish()
  const published = readPublished(
    seen.events.map((e) => JSON.stringify(e.fields)),
    [await publicKey()],
  )
  const early = await exported()
  const db = await openLocalDatabase({ path: backup })
  const restored = auditService({ ...house, db, log: seen.log })
  expect(await restored.verify(chain)).toMatchObject(intact)
  expect(await restored.verify(chain, published)).toMatchObject({ breach: { reason: 'rolled_back', position: 7 } })
  expect((await restored.verifyAll(published)).broken).toEqual([{ chain, reason: 'rolled_back', position: 7 }])
  expect(await audit.verify(chain, published)).toMatchObject(intact)
  const old = await restored.export(acme, async () => acme, { format: 'jsonl' }).open()
  const lines = (await new Response(old).text()).split('\n')
  const key = await publicKey()
  expect((await verifyExport(lines, [key], published)).breach).toMatchObject({ reason: 'rolled_back', position: 7 })
  expect((await verifyExport(early, [key], published)).breach).toBeNull()
  await db.close()
})

test('an export as CSV is one line an event, and nothing in it is a formula', async () => {
  await house.write(acme, { action: '=cmd|x', targets: ['a"b'], change: { note: 'c' } }, [])
  await grow(1)
  const lines = await exported('csv')
  expect(lines[0]).toStartWith('position,at,action')
  expect(lines).toHaveLength(5)
  expect(lines[2]).toContain(`"'=cmd|x"`)
  expect(lines[2]).toContain('"[""a\\""b""]"')
})

test('an export stops when the right to it ends, and not for a change that leaves it', async () => {
  await grow(1200)
  let may = true
  const start = async () =>
    (await audit.export(acme, async () => (may ? acme : null), { format: 'jsonl' }).open()).getReader()
  const [kept, ended] = [await start(), await start()]
  await kept.read()
  await ended.read()
  const shake = () =>
    house.revocations.apply([
      { seq: 10_000 + Math.floor(house.clock.monotonic()), subject: `workspace:${acme.workspace.publicId}` },
    ])
  shake()
  await kept.read()
  may = false
  house.clock.advance(1)
  shake()
  await Bun.sleep(0)
  expect(
    await (async () => {
      while (!(await ended.read()).done);
    })().catch((error) => error.code),
  ).toBe('forbidden')
})

test('an export is itself in the audit, before its first byte', async () => {
  await exported('csv')
  await audit.seal()
  expect((await exported()).join('\n')).toContain('audit.exported')
})

test('the name of a chain in an export hangs on the random id of its instance: a number cannot be found by trying', async () => {
  await grow(2)
  const name = JSON.parse((await exported())[0]!).head.signed_text.split('\n')[1]
  const numbered = `latchkey audit chain ${chain}`
  expect(name).not.toBe(sha256(numbered))
  const [row] = await house.db.orm.select().from(meta).where(eq(meta.name, 'instance_id'))
  const instance = row?.value
  expect(instance).toMatch(/^[0-9a-f]{32}$/)
  expect(name).toBe(sha256(`${numbered} ${instance}`))
  tamper("update meta set value = 'another' where name = 'instance_id'")
  expect(await auditService({ ...house, log: seen.log }).verify(chain)).toMatchObject(broken('forged', 3))
})

test('an audit that an earlier version sealed, whose chains began otherwise, is sealed anew when that is replaced', async () => {
  await act(acme, ...things(3))
  await audit.seal()
  tamper("update audit_events set hash = 'begun otherwise' where chain = $chain and position = 1")
  expect((await audit.verifyAll()).broken).toContainEqual({ chain, reason: 'altered', position: 1 })
  const path = join(newFolder(), 'latchkey.db')
  tamper("delete from migrations where name = '0014_audit_anew'")
  const file = new Libsql(house.path)
  file.prepare('vacuum into ?').run(path)
  file.close()

  const db = await openLocalDatabase({ path })
  const anew = auditService({ ...house, db, unaudited: createUnaudited(db), log: seen.log })
  await anew.seal()
  expect((await anew.verifyAll()).broken).toEqual([])
  expect((await anew.verify(chain)).intact).toBe(true)
  await db.close()
})
