// The operator's checks against a real server on a real socket: who may do what, and whether the audit holds.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import Libsql from 'libsql'
import { readConfig } from '../../src/config'
import { doctorAccess } from '../../src/doctor/access'
import { type Running, startServer } from '../../src/runtime/bun'
import { newTestLog } from '../support'
import { newFolder } from '../template'

const folder = newFolder()
const quick = { LATCHKEY_START_FLOOR_MS: '0', LATCHKEY_RATE_LIMITS: 'off' }
let running: Running
let careless: ReturnType<typeof Bun.serve>
const said: string[] = []

/** As a server that forgot to ask for the right of one route. */
const forget = async (request: Request): Promise<Response> => {
  const { pathname, search } = new URL(request.url)
  const headers = new Headers(request.headers)
  headers.set('host', new URL(running.config.origin).host)
  if (headers.has('origin')) headers.set('origin', running.config.origin)
  const body = request.body === null ? null : await request.arrayBuffer()
  const answer = await fetch(running.listening + pathname + search, { method: request.method, headers, body })
  return request.method === 'GET' && pathname === '/api/audit' && answer.status === 403
    ? Response.json({ data: [], next_cursor: null })
    : answer
}

beforeAll(async () => {
  const base = { LATCHKEY_ENV: 'development', LATCHKEY_DATA_DIR: folder, ...quick }
  const settle = (port = 0) => readConfig({ ...base, LATCHKEY_PORT: String(port) }, { source: 'source' })
  running = await startServer(settle, newTestLog().log)
  careless = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: forget })
})
afterAll(() => careless.stop(true))

test('doctor access finds the one route that forgot to ask, as each who should have been refused, and nothing else', async () => {
  const asked = doctorAccess(['--origin', careless.url.origin], 'http://unused', (line) => said.push(line))
  await expect(asked).rejects.toThrow(/^6 of \d{3,} answers are not what they should be\.$/)
  expect(said.filter((line) => !line.startsWith('GET /api/audit (default project) as '))).toEqual([])
  const who = said.map((line) => / as (.*): 200, should be 403$/.exec(line)?.[1])
  expect(who).toEqual(['member', 'viewer', 'read key', 'write key', 'delete key', 'delete key of one project'])
}, 240_000)

const latchkey = (...args: string[]) => {
  const env = { ...process.env, LATCHKEY_ENV: 'development', LATCHKEY_DATA_DIR: folder }
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, 'src/cli.ts', ...args], { env })
  return { exitCode, text: stdout.toString() + stderr.toString() }
}

test('audit verify holds a copy of the database to the public key, and finds what was altered', async () => {
  await running.stop()
  const file = join(folder, 'latchkey.db')
  const own = latchkey('audit', 'verify')
  const key = /signed by ([\w-]{43})\./.exec(own.text)?.[1] ?? ''
  expect([own.exitCode, key.length]).toEqual([0, 43])
  const offline = ['audit', 'verify', file, '--key', key]
  expect(latchkey(...offline)).toMatchObject({ exitCode: 0, text: expect.stringContaining('The audit holds') })
  const tampered = new Libsql(file)
  tampered.prepare("update audit_events set client = 'x' where position = 2 and chain like 'workspace:%'").run()
  tampered.close()
  expect(latchkey(...offline)).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/workspace:\d+: altered at 2/),
  })
  const unknown = key.replace(/^./, (c) => (c === 'a' ? 'b' : 'a'))
  expect(latchkey('audit', 'verify', file, '--key', unknown)).toMatchObject({ exitCode: 1 })
  expect(latchkey('audit', 'verify', file).text).toContain('--key')
  expect(latchkey('doctor', 'nobody')).toMatchObject({ exitCode: 1, text: expect.stringContaining('latchkey serve |') })
}, 240_000)
