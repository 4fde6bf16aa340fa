// Reading much of the audit holds nobody up: every read is bounded in rows, and other work goes on between two.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { createDatabase } from '../src/adapters/database'
import { openReader } from '../src/adapters/database-libsql'
import { AuditQuery } from '../src/features/audit/model'
import { type AuditService, auditService } from '../src/features/audit/service'
import type { Actor } from '../src/permissions'
import { type House, newHouse } from './house'

let house: House
let audit: AuditService
let acme: Actor
let reader: ReturnType<typeof openReader>
/** What was asked of the database, and `null` for each time that other work could go on. */
let steps: ({ sql: string; args: readonly unknown[] } | null)[]

beforeEach(async () => {
  house = await newHouse()
  acme = (await house.newTenant()).admin
  steps = []
  reader = openReader(house.path)
  const read: typeof reader.read = (sql, args) => {
    steps.push({ sql, args })
    return reader.read(sql, args)
  }
  const db = createDatabase({ read, batch: house.db.batch as never, close: async () => {} }, { kind: 'alone' })
  const sleep = async (ms: number) => {
    steps.push(null)
    await house.clock.sleep(ms)
  }
  audit = auditService({ ...house, db, clock: { ...house.clock, sleep } })
})
afterEach(async () => {
  reader.close()
  await house.close()
})

const list = (query: Record<string, unknown>) => audit.list(acme, AuditQuery.parse(query))
/** So many rows of the workspace, all of one instant but the oldest, which alone has a target that is looked for. */
const fill = (count: number) => {
  const file = new Libsql(house.path)
  file.exec(`insert into audit_events (workspace_id, id, chain, action, actor_type, targets, outcome, at)
    with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${count})
    select ${acme.workspace.id}, printf('evt_%08d', i), 'workspace:${acme.workspace.id}', 'thing.changed', 'system',
      iif(i = 1, '["wanted"]', '["other"]'), 'done', ${house.clock.now()} + iif(i = 1, 0, 1) from numbers`)
  file.close()
}
const rowsBetween = ([workspaceId, chain, ...span]: readonly unknown[]) => {
  const file = new Libsql(house.path)
  const within = 'select count(*) as n from audit_events where workspace_id = ? and chain = ? and (at, id)'
  const found = file.prepare(`${within} < (?, ?) and (at, id) >= (?, ?)`).get([workspaceId, chain, ...span.slice(0, 4)])
  file.close()
  return (found as { n: number }).n
}

test('a search for what is rare looks at a bounded number of rows in each read and for each page, and finds it', async () => {
  fill(45_000)
  house.clock.advance(10)
  const counts: number[] = []
  const pages: string[][] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    steps = []
    const page = await list({ target: 'wanted', ...(cursor && { cursor }) })
    cursor = page.next_cursor
    pages.push(page.data.map((event) => event.id))
    const filtered = steps.filter((step) => step?.sql.includes('json_each'))
    const looked = filtered.map((step) => rowsBetween(step!.args))
    expect(Math.max(...looked)).toBeLessThanOrEqual(1000)
    expect(steps.filter((step) => step === null).length).toBeGreaterThanOrEqual(filtered.length - 1)
    counts.push(looked.reduce((sum, n) => sum + n))
  }
  expect(pages).toEqual([[], [], ['evt_00000001']])
  expect(counts).toEqual([20_000, 20_000, 5_002])
})

test('without a filter a page is one look without a pause, and the pages are all there is, each row once', async () => {
  fill(250)
  house.clock.advance(10)
  const seen: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await list({ limit: 100, ...(cursor && { cursor }) })
    seen.push(...page.data.map((event) => event.id))
    cursor = page.next_cursor
  }
  expect(seen.filter((id) => /^evt_\d{8}$/.test(id))).toHaveLength(250)
  expect(new Set(seen).size).toBe(seen.length)
  expect(steps).not.toContain(null)
  expect(steps.filter((step) => step?.sql.includes('limit'))).toHaveLength(3)
})

test('a page of what is frequent is full, and reads as few rows as it needs', async () => {
  fill(5000)
  const page = await list({ action: 'thing.changed', limit: 100 })
  expect(page.data).toHaveLength(100)
  expect(page.next_cursor).not.toBeNull()
  expect(steps.filter((step) => step?.sql.includes('json_each'))).toHaveLength(1)
})

test('however many ask at once, no two pieces of their chains are read without a pause between', async () => {
  fill(4000)
  await audit.seal()
  steps = []
  const asked = Array.from({ length: 20 }, () => audit.verifyWorkspace(acme))
  const text = async () => {
    const body = await audit.export(acme, async () => acme, { format: 'jsonl' }).open()
    return (await new Response(body).text()).trimEnd().split('\n').length
  }
  const [lines, ...verified] = await Promise.all([text(), ...asked])
  expect(lines).toBe(4002)
  expect(new Set(verified).size).toBe(1)
  expect(verified[0]).toMatchObject({ intact: true, head: { position: 4001 } })
  const pieces = steps.flatMap((step, i) => (step?.sql.includes('"position" > ?') ? [i] : []))
  expect(pieces.length).toBeLessThan(25)
  for (const [i, at] of pieces.slice(1).entries()) expect(steps.slice(pieces[i]! + 1, at)).toContain(null)
})

test('a verification that is asked for after another has ended is made anew', async () => {
  fill(10)
  await audit.seal()
  expect(await audit.verifyWorkspace(acme)).toMatchObject({ intact: true })
  const file = new Libsql(house.path)
  file.exec("update audit_events set outcome = 'denied' where id = 'evt_00000004'")
  file.close()
  expect(await audit.verifyWorkspace(acme)).toMatchObject({ intact: false, breach: { reason: 'altered' } })
})
