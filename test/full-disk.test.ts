// A full disk, or a database out of reach: said as it is, nothing half done, and everything works again afterwards.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as schema from '../db/schema'
import { systemClock } from '../src/adapters/clock'
import { databaseError } from '../src/adapters/database-errors'
import { createLog } from '../src/adapters/log-pino'
import { readConfig } from '../src/config'
import { startServer } from '../src/runtime/bun'
import { proofsOf } from './proofs'
import { bearer, newCaller } from './story'
import { type Json, type TestApp, testApp } from './support'
import { atEnd, newFolder } from './template'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

const email = 'ada@example.com'
const faults = [
  ['SQLITE_FULL', 507, 'disk_full'],
  ['SQLITE_BUSY', 503, 'unavailable'],
] as const

/** Everything that is in the database, but which jobs ran where. */
const snapshot = async () => {
  const tables = Object.entries(schema).filter(([name]) => !['leases', 'revocations'].includes(name))
  const rows = tables.map(([, table]) =>
    t.db.acrossTenants('test', (orm) =>
      orm
        .select()
        .from(table as typeof schema.users)
        .all(),
    ),
  )
  return JSON.stringify(await Promise.all(rows))
}

/** Lets no batch through but the `sooner` first ones, as long as `act` runs. */
const failing = async (code: string, sooner: number, act: () => Promise<Json>) => {
  const { batch } = t.db
  let left = sooner
  t.db.batch = async (statements) => {
    if (left-- > 0) return batch(statements)
    throw databaseError({ code, message: 'database or disk is full: ada@example.com' }, statements)
  }
  try {
    return await act()
  } finally {
    t.db.batch = batch
  }
}

describe.each(faults)('while the database answers %s', (code, status, said) => {
  const refused = { status, body: { code: said } }

  test('asking for a code is refused, and nothing is asked', async () => {
    const before = await snapshot()
    const start = () => t.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
    const answer = await failing(code, 0, start)
    expect(answer).toMatchObject(refused)
    expect(JSON.stringify(answer.body)).not.toContain('ada@')
    expect(await snapshot()).toBe(before)
    expect((await start()).status).toBe(202)
  })

  test('a code is neither counted nor used up, and signs in afterwards', async () => {
    const { body } = await t.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
    const { challenge_id, binding } = body
    const code_ = await t.codeFor(email)
    const verify = () => t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code: code_ } })
    const before = await snapshot()
    expect(await failing(code, 0, verify)).toMatchObject(refused)
    expect(await snapshot()).toBe(before)
    // Counted, and then the disk is full: the attempt stands, the sign-in is not half done.
    expect(await failing(code, 1, verify)).toMatchObject(refused)
    const tables = [schema.users, schema.sessions, schema.workspaces]
    for (const table of tables) expect(await t.db.orm.select().from(table as typeof schema.users)).toEqual([])
    expect((await verify()).status).toBe(200)
    expect(await t.db.orm.select().from(schema.sessions)).toHaveLength(1)
  })

  test('no account ends, moves or joins half way', async () => {
    const [ada, founder] = [await t.signIn(email), await t.as('admin')]
    const { body: invitation } = await founder.post('/api/invitations', { email, role: 'member' })
    const { body: asked } = await ada.post('/api/me/email', { email: 'new@example.com' })
    const moving = await t.codeFor('new@example.com')
    const before = await snapshot()
    const acts = [
      () => ada.post(`/api/invitations/${invitation.id}/accept`),
      () => proofsOf(t).redeemCode(ada, asked.challenge_id, moving),
      () => founder.post('/api/invitations', { email: 'other@example.com', role: 'member' }),
      () => ada.post('/api/sessions/revoke', { which: 'others' }),
      () => ada.delete('/api/me'),
    ]
    for (const act of acts) expect(await failing(code, 0, act)).toMatchObject(refused)
    expect(await snapshot()).toBe(before)
    expect((await ada.get('/api/me')).body.email).toBe(email)
    for (const act of acts) expect((await act()).status).toBeLessThan(300)
    expect((await ada.get('/api/me')).status).toBe(401)
  })

  test('a revocation that was not written is not in force either, and one that was is', async () => {
    const [here, there] = [await t.signIn(email), await t.signIn(email)]
    const end = () => here.post('/api/sessions/revoke', { which: 'others' })
    expect(await failing(code, 0, end)).toMatchObject(refused)
    expect((await there.get('/api/me')).status).toBe(200)
    expect((await end()).status).toBe(200)
    expect((await there.get('/api/me')).status).toBe(401)
  })

  test('mail waits, and goes out afterwards', async () => {
    await t.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
    await failing(code, 1, () => t.app.services.jobs.runNow('outbox').catch(() => {}))
    t.clock.advance(61_000)
    expect(await t.codeFor(email)).toMatch(/^\w{4}-\w{4}$/)
    const mails = t.inbox.list().filter((m) => m.to === email)
    expect(new Set(mails.map((m) => m.id)).size).toBe(1)
  })
})

const mebibyte = 1 << 20

/** The folder of a disk of 96 MiB; null where the machine lets us have none. */
const newDisk = (): string | null => {
  const folder = newFolder()
  const run = (...command: string[]) => Bun.spawnSync(command, { stderr: 'ignore' }).exitCode === 0
  if (!run('mount', '-t', 'tmpfs', '-o', 'size=96m', 'none', folder)) return null
  atEnd(() => run('umount', '-l', folder))
  return folder
}
const disk = newDisk()

describe.skipIf(disk === null)('on a real disk', () => {
  test('ready says what uploads and writes meet: first no room for files, then none at all, then all is well', async () => {
    const folder = disk!
    let skew = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skew }
    const env = { LATCHKEY_DATA_DIR: join(folder, 'data'), LATCHKEY_START_FLOOR_MS: '0', LATCHKEY_RATE_LIMITS: 'off' }
    mkdirSync(env.LATCHKEY_DATA_DIR)
    const settle = (port = 0) => readConfig({ ...env, LATCHKEY_PORT: `${port}` }, { source: 'source' })
    const running = await startServer(settle, createLog({ write: () => {} }), { clock })
    const { send, call, codeFor } = newCaller(running.listening)
    const json = { email, transport: 'token' }
    const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json })
    const proof = { challenge_id, binding, code: await codeFor(email) }
    const headers = bearer((await call('POST', '/api/auth/verify', 200, { json: proof })).token)

    const ready = async () => {
      skew += 1000
      const response = await send('GET', '/v1/health/ready')
      const { checks } = (await response.json()) as { checks: Record<string, string> }
      return [response.status, checks.database, checks.storage]
    }
    const uploads = async () => (await send('POST', '/api/media', { headers, body: 'abc' })).status
    const starts = async () => (await send('POST', '/api/auth/start', { json })).status
    /** Leaves so much room. */
    const fill = (left: number) => {
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(join(folder, `filler-${left}`), new Uint8Array(bavail * bsize - left))
    }

    expect([await ready(), await uploads(), await starts()]).toEqual([[200, 'ok', 'ok'], 201, 202])
    fill(60 * mebibyte)
    expect([await ready(), await uploads(), await starts()]).toEqual([[503, 'ok', 'failing'], 507, 202])
    fill(0)
    expect([await ready(), await uploads(), await starts()]).toEqual([[503, 'failing', 'failing'], 507, 507])
    for (const left of [0, 60 * mebibyte]) rmSync(join(folder, `filler-${left}`))
    expect([await ready(), await uploads(), await starts()]).toEqual([[200, 'ok', 'ok'], 201, 202])
    await running.stop()
  })
})
