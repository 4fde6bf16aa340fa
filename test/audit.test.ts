// The audit: sealed in order under many writers, and no later change to it goes unnoticed.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createPublicKey, verify as verifySignature } from 'node:crypto'
import Libsql from 'libsql'
import { AuditQuery } from '../src/features/audit/model'
import { type AuditService, auditService } from '../src/features/audit/service'
import type { Actor } from '../src/permissions'
import { type House, keyActor, newHouse } from './house'

let house: House
let audit: AuditService
let acme: Actor
let chain: string
const intact = { intact: true, breach: null }
const broken = (reason: string, position: number) => ({ intact: false, breach: { reason, position } })

beforeEach(async () => {
  house = await newHouse()
  audit = auditService(house)
  acme = (await house.newTenant()).admin
  chain = `workspace:${acme.workspace.id}`
})
afterEach(() => house.close())

const act = (actor: Actor, target: string, change?: Record<string, unknown>) =>
  house.write(actor, { action: 'thing.changed', targets: [target], ...(change && { change }) }, [])
/** As somebody who can write to the file, past everything of ours. */
const tamper = (sql: string) => {
  const file = new Libsql(house.path)
  const { changes } = file.prepare(sql.replaceAll('$chain', `'${chain}'`)).run()
  file.close()
  expect(changes).toBeGreaterThan(0)
}
const rows = (of = chain) => {
  const file = new Libsql(house.path)
  const found = file.prepare('select * from audit_events where chain = ? order by position').all(of)
  file.close()
  return found as { id: string; position: number; hash: string; targets: string }[]
}
/** `count` events, with the workspace's own first one, all sealed. */
const newSealedChain = async (count: number) => {
  const events = Array.from({ length: count - 1 }, (_, i) => i + 1)
  await house.write(
    acme,
    events.map((i) => ({ action: 'thing.changed', targets: [`thing_${i}`], change: { i } })),
    [],
  )
  await audit.seal()
}
const list = (query: Record<string, unknown> = {}, actor = acme) => audit.list(actor, AuditQuery.parse(query))

test('an event holds 4096 bytes of change and no more, by its bytes and not its letters', async () => {
  const note = (text: string) => act(acme, 'thing', { note: text })
  const frame = '{"note":""}'.length
  await note('é'.repeat((4096 - frame - 1) / 2))
  await expect(note('é'.repeat((4096 - frame + 1) / 2))).rejects.toThrow('too large')
  await expect(note('x'.repeat(4096 - frame + 1))).rejects.toThrow('too large')
})

test('20 writers at once, sealed while they write: each row has one place, without gaps, and the chain holds', async () => {
  const other = (await house.newTenant()).admin
  let writing = true
  const sealing = (async () => {
    while (writing) await audit.seal()
  })()
  const writer = async (_: unknown, i: number) => {
    for (let n = 0; n < 25; n++) await act(i % 4 === 0 ? other : acme, `thing_${i}_${n}`)
  }
  await Promise.all(Array.from({ length: 20 }, writer))
  writing = false
  await sealing
  await audit.seal()
  expect(rows().map((row) => row.position)).toEqual(Array.from({ length: 15 * 25 + 1 }, (_, i) => i + 1))
  expect(await audit.verify(chain)).toMatchObject({ ...intact, head: { position: 376 } })
  expect(await audit.verify(`workspace:${other.workspace.id}`)).toMatchObject({ ...intact, head: { position: 126 } })
  expect(await audit.verifyWorkspace(acme)).toEqual(await audit.verify(chain))
})

test('two sealers at once never fork a chain: what one has done the other leaves undone', async () => {
  const sealers = [audit, auditService(house), auditService(house), auditService(house)]
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 5; i++) await act(acme, `thing_${round}_${i}`)
    const outcomes = await Promise.allSettled(sealers.map((sealer) => sealer.seal()))
    for (const lost of outcomes.filter((outcome) => outcome.status === 'rejected'))
      expect(lost.reason).toMatchObject({ code: 'conflict' })
    expect(outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value > 0)).toBe(true)
  }
  await audit.seal()
  expect(await audit.verify(chain)).toMatchObject({ ...intact, head: { position: 51 } })
})

test('a sealer that was overtaken by one that saw fewer rows does nothing', async () => {
  await newSealedChain(3)
  await act(acme, 'thing_seen_by_both')
  const [slowHasRead, fastIsDone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow = auditService({
    ...house,
    unaudited: async (why, statements) => {
      slowHasRead.resolve()
      await fastIsDone.promise
      return house.unaudited(why, statements)
    },
  })
  let slowly: Promise<unknown> | undefined
  const fast = auditService({
    ...house,
    unaudited: async (why, statements) => {
      await act(acme, 'thing_seen_by_the_slow_one')
      slowly = slow.seal().catch((error) => error)
      await slowHasRead.promise
      return house.unaudited(why, statements)
    },
  })
  expect(await fast.seal()).toBe(1)
  fastIsDone.resolve()
  expect(await slowly).toBe(0)
  expect(await audit.verify(chain)).toMatchObject({ ...intact, head: { position: 4 } })
  await audit.seal()
  expect(await audit.verify(chain)).toMatchObject({ ...intact, head: { position: 5 } })
})

test('rows are sealed in the order they were committed', async () => {
  await newSealedChain(20)
  expect(
    rows()
      .slice(1)
      .map((row) => JSON.parse(row.targets)[0]),
  ).toEqual(Array.from({ length: 19 }, (_, i) => `thing_${i + 1}`))
})

test('untouched chains of workspace, user and instance hold, also over more rows than one piece', async () => {
  await house.write(acme.person!, { action: 'session.revoked', targets: ['ses_1'] }, [])
  await house.write({ type: 'system', origin: null }, { action: 'instance.started', targets: [] }, [])
  await newSealedChain(1203)
  for (const name of [chain, `user:${acme.id}`, 'instance']) expect(await audit.verify(name)).toMatchObject(intact)
  expect(await audit.verify('workspace:1')).toMatchObject({ ...intact, head: null })
})

const columns = {
  id: "'evt_0'",
  action: "'thing.seen'",
  actor_type: "'key'",
  actor_id: "'usr_0'",
  targets: '\'["thing_0"]\'',
  outcome: "'denied'",
  request_id: 'null',
  client: "'198.51.100.0/24'",
  change: '\'{"i":0}\'',
  at: 'at - 1',
}
for (const [column, value] of Object.entries(columns))
  test(`an edit of ${column} is found`, async () => {
    await newSealedChain(9)
    tamper(`update audit_events set ${column} = ${value} where chain = $chain and position = 5`)
    expect(await audit.verify(chain)).toMatchObject(broken('altered', 5))
  })

test('rows that changed places are found', async () => {
  await newSealedChain(9)
  for (const [from, to] of [
    [4, 90],
    [5, 4],
    [90, 5],
  ])
    tamper(`update audit_events set position = ${to} where chain = $chain and position = ${from}`)
  expect(await audit.verify(chain)).toMatchObject(broken('altered', 4))
})

test('a row taken out is found, also when those behind it close the gap', async () => {
  await newSealedChain(9)
  tamper('delete from audit_events where chain = $chain and position = 5')
  expect(await audit.verify(chain)).toMatchObject(broken('missing', 5))
  for (const position of [6, 7, 8, 9])
    tamper(`update audit_events set position = ${position - 1} where chain = $chain and position = ${position}`)
  expect(await audit.verify(chain)).toMatchObject(broken('altered', 5))
})

for (const position of [0, -1, 8.5, 10])
  test(`a row put in at ${position} is found`, async () => {
    await newSealedChain(9)
    tamper(
      `insert into audit_events select workspace_id, 'evt_x', chain, action, actor_type, actor_id, targets, outcome,
      request_id, client, change, at, ${position}, hash from audit_events where chain = $chain and position = 9`,
    )
    expect((await audit.verify(chain)).intact).toBe(false)
    tamper("delete from audit_events where id = 'evt_x'")
    expect(await audit.verify(chain)).toMatchObject(intact)
  })

test('a cut tail is found, also with a head to match it', async () => {
  await newSealedChain(9)
  tamper('delete from audit_events where chain = $chain and position > 7')
  expect(await audit.verify(chain)).toMatchObject(broken('truncated', 8))
  const { hash } = rows().at(-1)!
  tamper(`update audit_heads set position = 7, hash = '${hash}' where chain = $chain`)
  expect(await audit.verify(chain)).toMatchObject(broken('forged', 7))
  tamper('delete from audit_heads where chain = $chain')
  expect(await audit.verify(chain)).toMatchObject(broken('forged', 7))
})

test('a dropped chain is found, with its head and without, and after new ones began', async () => {
  await newSealedChain(9)
  const other = (await house.newTenant()).admin
  await audit.seal()
  tamper('delete from audit_events where chain = $chain')
  expect(await audit.verify(chain)).toMatchObject(broken('truncated', 1))
  tamper('delete from audit_heads where chain = $chain')
  expect(await audit.verify(chain)).toMatchObject(broken('dropped', 0))
  await house.newTenant()
  await audit.seal()
  expect(await audit.verify(chain)).toMatchObject(broken('dropped', 0))
  expect(await audit.verify(`workspace:${other.workspace.id}`)).toMatchObject(intact)
  tamper("update audit_heads set position = position - 1 where chain = 'chains'")
  expect(await audit.verify(chain)).toMatchObject(broken('forged', 0))
})

test('a head is signed by a key that is not in the database, and anybody can check it', async () => {
  await newSealedChain(3)
  const { head } = await audit.verify(chain)
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: head!.public_key }, format: 'jwk' })
  const isSigned = (text: string) =>
    verifySignature(null, Buffer.from(text), key, Buffer.from(head!.signature, 'base64url'))
  expect(isSigned(head!.signed_text)).toBe(true)
  expect(isSigned(head!.signed_text.replace('\n3\n', '\n2\n'))).toBe(false)
  expect(head!.hash).toBe(rows().at(-1)!.hash)
  expect(JSON.stringify(await audit.verify(chain))).not.toContain(String(acme.workspace.id))
  await house.keyring.rotate('audit-sign', house.clock.now() + 1)
  house.clock.advance(1)
  expect(await audit.verify(chain)).toMatchObject(intact)
  await act(acme, 'thing')
  await audit.seal()
  const next = await audit.verify(chain)
  expect(next).toMatchObject({ ...intact, head: { position: 4 } })
  expect(next.head!.public_key).not.toBe(head!.public_key)
})

test('a list filters by action, actor, target and time, and pages over all of it once', async () => {
  const start = house.clock.now()
  const key = keyActor(acme, 'key_1', 'admin')
  for (let i = 0; i < 6; i++) {
    house.clock.advance(1000)
    await act(i % 2 ? key : acme, `thing_${i}`)
  }
  const found = async (query: Record<string, unknown>) =>
    (await list({ action: 'thing.changed', ...query })).data.map((event) => event.targets[0])
  expect(await found({})).toEqual(['thing_5', 'thing_4', 'thing_3', 'thing_2', 'thing_1', 'thing_0'])
  expect(await found({ actor: 'key_1' })).toEqual(['thing_5', 'thing_3', 'thing_1'])
  expect(await found({ target: 'thing_2' })).toEqual(['thing_2'])
  const [from, to] = [2000, 4000].map((ms) => new Date(start + ms).toISOString())
  expect(await found({ from, to })).toEqual(['thing_2', 'thing_1'])
  expect(await found({ action: 'thing.%' })).toEqual([])
  const paged: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await list({ limit: 4, ...(cursor && { cursor }) })
    paged.push(...page.data.map((event) => event.id))
    cursor = page.next_cursor
  }
  expect(paged).toEqual((await list()).data.map((event) => event.id))
  expect(new Set(paged).size).toBe(8)
})

test("a list shows the actor's workspace alone, and what it shows names no internal number", async () => {
  const other = (await house.newTenant()).admin
  await act(other, 'canary')
  await act(acme, 'thing')
  const shown = JSON.stringify(await list())
  expect(shown).toContain('thing')
  expect(shown).not.toContain('canary')
  expect(shown).not.toContain(String(acme.workspace.id))
  expect(JSON.stringify(await list({}, other))).toContain('canary')
})

test('reading leaves one row for each reader in ten minutes, before anything is shown', async () => {
  const readings = async () => rows().filter((row) => JSON.stringify(row).includes('audit.read')).length
  expect(await readings()).toBe(0)
  expect((await list({ action: 'audit.read' })).data).toHaveLength(1)
  for (let i = 0; i < 5; i++) await list({ limit: 1 })
  expect(await readings()).toBe(1)
  await list({}, keyActor(acme, 'key_1', 'admin'))
  expect(await readings()).toBe(2)
  house.clock.advance(10 * 60_000)
  await list()
  expect(await readings()).toBe(3)
  const closed = auditService({ ...house, write: () => Promise.reject(new Error('no audit')) })
  house.clock.advance(10 * 60_000)
  await expect(closed.list(acme, AuditQuery.parse({}))).rejects.toThrow('no audit')
})

test('the operator verifies every chain at once, and learns which does not hold', async () => {
  const other = (await house.newTenant()).admin
  await newSealedChain(4)
  expect(await audit.verifyAll()).toEqual({ chains: 2, broken: [] })
  tamper("update audit_events set targets = '[]' where chain = $chain and position = 3")
  expect(await audit.verifyAll()).toEqual({ chains: 2, broken: [{ chain, reason: 'altered', position: 3 }] })
  const lost = `workspace:${other.workspace.id}`
  tamper(`delete from audit_events where chain = '${lost}'`)
  tamper(`delete from audit_heads where chain = '${lost}'`)
  expect((await audit.verifyAll()).broken.map((it) => it.chain)).toEqual(['chains', chain])
})
