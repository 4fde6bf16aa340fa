// The log: nothing that has the shape of a credential gets into it, and request lines cost nothing and are not lost.
import { expect, test } from 'bun:test'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import { createLog } from '../src/adapters/log-pino'
import { randomSecret } from '../src/lib/crypto'
import { randomBase62 } from '../src/lib/id'
import { scrub } from '../src/lib/scrub'
import { freePort } from './redis'
import { newCaller } from './story'
import { newFolder } from './template'

const capture = () => {
  const written: string[] = []
  return { written, log: createLog({ write: (lines) => written.push(lines) }) }
}
const done = {
  ...{ at: 1795251234567, requestId: 'req_1', method: 'GET', route: '/api/keys/:id' },
  ...{ status: 200, ms: 0.314, workspace: null },
}
const secrets = {
  'an API key': `ml_live_${randomBase62(46)}`,
  'an API key of another prefix': `acme_test_${randomBase62(46)}`,
  'a session token': `eyJhbGciOiJIUzI1NiJ9.${randomSecret(60)}.${randomSecret()}`,
  'a link secret': `chl_${randomBase62(22)}.${randomSecret()}`,
  'a sign-in code': 'K7QM-2X9P',
  'a bearer header': 'Bearer abc.def-ghi',
  'a password in a URL': '://robot:hunter2@',
  'a bare secret': randomSecret(),
  'a bare secret that begins with a hyphen': `-${randomSecret().slice(1)}`,
  'a master key': `:${Buffer.alloc(32, 251).toString('base64')}`,
}

test.each(Object.entries(secrets))('%s is in no line, whatever field, message or error it stands in', (_, secret) => {
  const { written, log } = capture()
  log.info({ field: secret, nested: [{ text: `https://host/link#${secret}?x` }] }, `said "${secret}"`)
  log.error({ error: new Error(secret, { cause: new TypeError(secret) }) }, 'failed')
  log.request({ ...done, method: secret }, true)
  log.request({ ...done, route: secret }, true)
  expect(written).toHaveLength(4)
  for (const line of written) {
    expect(line).not.toContain(secret)
    expect(line).toContain('[scrubbed]')
    expect(() => JSON.parse(line)).not.toThrow()
  }
})

test('ids, times, routes and plain words stay as they are', () => {
  const line = `{"time":1795251234567,"at":"2026-11-21T08:52:27.078Z","request_id":"req_${randomBase62(12)}","workspace":"wsp_${randomBase62(22)}","route":"/api/keys/:id","message":"read-only data"}`
  expect(scrub(line)).toBe(line)
})

test('a failed query is told without what was bound to it', () => {
  const { written, log } = capture()
  const cause = Object.assign(new Error('UNIQUE constraint failed: users.id'), { code: 'SQLITE_CONSTRAINT' })
  log.error({ error: new DrizzleQueryError('insert into users values (?)', ['a@example.com'], cause) }, 'failed')
  expect(written[0]).not.toContain('a@example.com')
  expect(written[0]).toContain('SQLITE_CONSTRAINT')
})

test('request lines are gathered until the flush, and go before what is told after them', () => {
  const { written, log } = capture()
  log.request(done, false)
  log.request({ ...done, requestId: 'req_2', workspace: 'wsp_1' }, false)
  expect(written).toEqual([])
  log.flush()
  const told = {
    time: 1795251234567,
    request_id: 'req_1',
    method: 'GET',
    route: '/api/keys/:id',
    status: 200,
    ms: 0.31,
  }
  expect(
    written
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([told, { ...told, request_id: 'req_2', workspace: 'wsp_1' }])
  log.request({ ...done, requestId: 'req_3' }, false)
  log.warn({}, 'later')
  expect(written[1]).toContain('req_3')
  expect(written[2]).toContain('later')
})

test('an urgent line is written at once', () => {
  const { written, log } = capture()
  log.request({ ...done, status: 500 }, true)
  expect(written).toHaveLength(1)
})

test('what takes no lines ends nothing; once it does again, it says how many were lost', () => {
  const written: string[] = []
  let isFull = true
  const write = (lines: string) => {
    if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    written.push(lines)
  }
  const log = createLog({ write })
  log.request(done, false)
  log.request(done, true)
  log.error({}, 'failed')
  expect(written).toEqual([])
  isFull = false
  log.info({}, 'later')
  log.info({}, 'and later')
  const lines = written.join('').split('\n').filter(Boolean)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', lost: 3 },
    { msg: 'later' },
    { msg: 'and later' },
  ])
})

test('a server whose log is full serves all the same, and stops in order', async () => {
  const [folder, port] = [newFolder(), await freePort()]
  const child = Bun.spawn([process.execPath, join(import.meta.dir, '../src/cli.ts')], {
    env: { LATCHKEY_PORT: `${port}`, LATCHKEY_DATA_DIR: folder, LATCHKEY_START_FLOOR_MS: '0' },
    stdout: openSync('/dev/full', 'w'),
  })
  const { call, codeFor } = newCaller(`http://127.0.0.1:${port}`)
  while (child.exitCode === null && !(await call('GET', '/v1/health', 200).catch(() => null))) await Bun.sleep(20)
  await call('POST', '/api/auth/start', 202, { json: { email: 'ada@example.com', transport: 'token' } })
  expect(await codeFor('ada@example.com')).toMatch(/^\w{4}-\w{4}$/)
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
}, 30_000)
