// Exports that are not read: a HEAD makes none, and one that is left half way leaves nothing behind.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { Failure } from '../src/errors'
import { archiveOf } from '../src/features/export/archive'
import type { Blobs } from '../src/ports'
import { type TestApp, testApp } from './support'
import { newFolder } from './template'
import { ask, serveOnWire } from './wire'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
let [opened, held] = [0, 0]
beforeEach(async () => {
  const disk = createDiskBlobs({ folder: newFolder() })
  const blobs: Blobs = {
    ...disk,
    open: (...asked) => {
      opened++
      return disk.open(...asked)
    },
  }
  t = await testApp({ blobs })
  ;[opened, held] = [0, 0]
  const { revocations } = t.app.services
  const hold = revocations.hold
  revocations.hold = (...asked) => {
    const right = hold(...asked)
    let lets = () => void held--
    held++
    const release = () => {
      lets()
      lets = () => {}
      right.release()
    }
    return { ...right, release }
  }
  admin = await t.as('admin')
  const raw = Buffer.alloc(3 << 20, 'a')
  expect((await t.fetch('POST', '/api/media', { headers: admin.headers, raw })).status).toBe(201)
  ;[opened, held] = [0, 0]
})
afterEach(() => t.stop())

const archive = () => `/api/workspaces/${admin.workspace.id}/export`
const noted = async (action: string) => (await admin.get(`/api/audit?action=${action}`)).body.data.length

describe('a HEAD', () => {
  test('of an export says what a GET would be, reads nothing and notes nothing', async () => {
    for (const [target, action] of [
      ['/api/audit/export', 'audit.exported'],
      [archive(), 'workspace.exported'],
    ] as const) {
      const head = await t.fetch('HEAD', target, { headers: admin.headers })
      expect([head.status, head.headers.has('content-length'), await head.text()]).toEqual([200, false, ''])
      expect([opened, held, await noted(action)]).toEqual([0, 0, 0])
      const get = await t.fetch('GET', target, { headers: admin.headers })
      expect((await get.arrayBuffer()).byteLength).toBeGreaterThan(0)
      for (const name of ['content-type', 'content-disposition', 'cache-control'])
        expect(head.headers.get(name)).toBe(get.headers.get(name))
      expect([opened > 0, held, await noted(action)]).toEqual([action === 'workspace.exported', 0, 1])
    }
  })

  test('of an export names no length on the wire, where it would be taken for that of the archive', async () => {
    const server = serveOnWire(t.app.fetch)
    const { status, headers } = await ask(server.port, 'HEAD', archive(), admin.headers)
    expect([status, headers.get('content-length'), headers.get('transfer-encoding')]).toEqual([200, null, 'chunked'])
    await server.stop()
  })

  test('of an export is refused as a GET is', async () => {
    const [member, stranger] = [await t.as('member'), await t.signIn('stranger@example.com')]
    const both = async (headers: Record<string, string>) =>
      Promise.all(['HEAD', 'GET'].map(async (method) => (await t.fetch(method, archive(), { headers })).status))
    expect([await both({}), await both(member.headers), await both(stranger.headers)]).toEqual([
      [401, 401],
      [403, 403],
      [404, 404],
    ])
    t.clock.advance(10 * 60_000 + 1)
    expect(await both(admin.headers)).toEqual([403, 403])
  })
})

/** Reads an export until it has seen `text`, or only its first piece. */
const readTo = async (target: string, text = '') => {
  const reader = (await t.fetch('GET', target, { headers: admin.headers })).body!.getReader()
  for (let seen = false; !seen; ) {
    const { value, done } = await reader.read()
    expect(done).toBe(false)
    seen = Buffer.from(value!).toString('latin1').includes(text)
  }
  return reader
}

describe('an export that is left', () => {
  const where: [string, () => string, string, number][] = [
    ['at its start', archive, '', 1],
    ['within a file', archive, 'aaaa', 2],
    ['after its audit', archive, 'audit/000001', 1],
    ['of the audit', () => '/api/audit/export', '', 1],
  ]
  test.each(where)('%s holds nothing afterwards, and what it needs until then', async (_, target, text, while_) => {
    await t.app.services.jobs.runNow('seal')
    for (let i = 0; i < 20; i++) {
      const reader = await readTo(target(), text)
      expect(held).toBeGreaterThan(0)
      expect(held).toBeLessThanOrEqual(while_)
      await reader.cancel()
      for (const end = performance.now() + 2000; held > 0 && performance.now() < end; ) await Bun.sleep(2)
      expect(held).toBe(0)
    }
  })

  test('within its audit, reads no more of it', async () => {
    let isCancelled = false
    const pull = (stream: ReadableStreamDefaultController<Uint8Array>) => stream.enqueue(new Uint8Array(1 << 20))
    const cancel = () => {
      isCancelled = true
    }
    const audit = async () => new ReadableStream<Uint8Array>({ pull, cancel })
    const none = async () => ({ data: [], next_cursor: null })
    const [missing, deep] = [() => Promise.reject(new Failure('not_found')), () => none]
    const contents = { workspace: {}, lists: {}, projects: none, projectMembers: deep, files: deep, versions: deep }
    const bytes = archiveOf({ ...contents, open: missing, audit }, t.clock.now)
    for await (const piece of bytes) {
      expect(isCancelled).toBe(false)
      if (Buffer.from(piece).toString('latin1').startsWith('audit/000002')) break
    }
    expect(isCancelled).toBe(true)
  })

  test('before it is read holds nothing afterwards', async () => {
    for (const target of [archive(), '/api/audit/export'])
      for (let i = 0; i < 20; i++) {
        await (await t.fetch('GET', target, { headers: admin.headers })).body!.cancel()
        expect(held).toBe(0)
      }
  })
})
