// What is kept for a time goes after it, all of it in one run, however much has come together; and a run can be stopped.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { verifyExport } from '../src/features/audit/offline'
import { type TestApp, testApp } from './support'

let t: TestApp
let workspaceId: number
beforeEach(async () => {
  t = await testApp()
  await t.as('admin')
  workspaceId = count('workspace_id', 'workspaces')
})
afterEach(() => t.stop())

const day = 86_400_000
const on = <T>(work: (file: Libsql.Database) => T): T => {
  const file = new Libsql(t.path)
  const result = work(file)
  file.close()
  return result
}
const count = (what: string, from: string) =>
  on((file) => (file.prepare(`select ${what} as n from ${from}`).get() as { n: number }).n)
/** So many rows of a table: each says what it takes of them by number `i`. */
const fill = (table: string, columns: Record<string, string>, rows: number) =>
  on((file) =>
    file.exec(`insert into ${table} (${Object.keys(columns)})
      with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${rows})
      select ${Object.values(columns)} from numbers`),
  )
const fillAudit = (rows: number) =>
  fill(
    'audit_events',
    {
      ...{ workspace_id: `${workspaceId}`, id: `'evt_' || i`, chain: `'workspace:${workspaceId}'` },
      ...{ action: `'thing.changed'`, actor_type: `'system'`, targets: `'[]'`, outcome: `'done'` },
      at: `${t.clock.now()}`,
    },
    rows,
  )
const events = () => count('count(*)', `audit_events where workspace_id = ${workspaceId}`)

test('of the audit, under checkpoints that hold', async () => {
  const { audit, jobs } = t.app.services
  fillAudit(6000)
  await jobs.runNow('seal')
  t.clock.advance(401 * day)
  await jobs.runNow('audit-prune')
  expect(events()).toBe(0)
  const admin = await t.as('admin')
  const again = await t.signIn(admin.email)
  await jobs.runNow('seal')
  const text = await (await t.fetch('GET', '/api/audit/export', { headers: again.headers })).text()
  const found = await verifyExport(text.split('\n'), audit.publicKeys())
  expect(found).toMatchObject({ breach: null })
})

test('of the audit as far as it came when it was told to stop, and the rest in the next run', async () => {
  const { audit } = t.app.services
  fillAudit(3000)
  await audit.seal()
  t.clock.advance(401 * day)
  const stop = new AbortController()
  const { batch } = t.db
  let batches = 0
  t.db.batch = async (...given) => {
    if (++batches === 4) stop.abort()
    return batch(...given)
  }
  await audit.prune(stop.signal)
  t.db.batch = batch
  const left = events()
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThan(3000)
  expect((await audit.verifyAll()).broken).toEqual([])
  await audit.prune()
  expect(events()).toBe(0)
  expect((await audit.verifyAll()).broken).toEqual([])
})

test('of usage', async () => {
  const row = { workspace_id: `${workspaceId}`, day: `i * ${day}`, id: `'x'`, requests: '1', refused: '0' }
  fill('usage', row, 2500)
  await t.app.services.jobs.runNow('old-usage')
  expect(count('count(*)', 'usage')).toBe(0)
})

test('of keys that nobody uses', async () => {
  const admin = await t.as('admin')
  await admin.post('/api/keys', { name: 'k' })
  on((file) => {
    const names = file.prepare("select name from pragma_table_info('api_keys')").all() as { name: string }[]
    const taken = names.map(({ name }) => (name === 'id' || name === 'token_hash' ? `${name} || i` : name))
    file.exec(`insert into api_keys (${names.map(({ name }) => name)})
      with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < 250)
      select ${taken} from numbers, api_keys`)
  })
  const live = () => count('count(*)', 'api_keys where revoked_at is null')
  expect(live()).toBe(251)
  t.clock.advance(366 * day)
  await t.app.services.jobs.runNow('unused-keys')
  expect(live()).toBe(0)
})

test('of deleted projects', async () => {
  const row = { workspace_id: `${workspaceId}`, id: `'prj_' || i`, slug: `'p' || i`, name: `'p'`, created_at: '0' }
  fill('projects', { ...row, deleted_at: `${t.clock.now()}` }, 120)
  t.clock.advance(15 * day)
  await t.app.services.jobs.runNow('purge')
  expect(count('count(*)', 'projects where deleted_at is not null')).toBe(0)
})
