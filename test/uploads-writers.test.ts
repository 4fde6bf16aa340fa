// Who writes to an upload: one at a time, for as long as they may, and what came before they went is kept.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { and, eq } from 'drizzle-orm'
import { uploads, workspaces } from '../db/schema'
import { createApp } from '../src/app'
import type { WorkspaceId } from '../src/permissions'
import { builder, statement } from '../src/write'
import { origin, type TestApp, testApp } from './support'
import { bytesOf, chunkType, speaks, tusOf, until } from './tus'
import { beginRequest, readAnswer, serveOnWire } from './wire'

let t: TestApp
let server: ReturnType<typeof serveOnWire>
let admin: Awaited<ReturnType<TestApp['as']>>
let tus: ReturnType<typeof tusOf>
const start = async (options: Parameters<typeof testApp>[0] = {}) => {
  t = await testApp(options)
  server = serveOnWire(t.app.fetch)
  admin = await t.as('admin')
  tus = tusOf(t, admin)
}
const stop = async () => {
  server.stop()
  await t.stop()
}

/** Begins a PATCH on a connection of its own. */
const patching = (at: string, offset: number, length: number, who: { headers: Record<string, string> } = admin) =>
  beginRequest(server.port, 'PATCH', at, {
    ...{ ...who.headers, ...speaks, ...chunkType },
    ...{ 'upload-offset': String(offset), 'content-length': String(length) },
  })
const idOf = (at: string) => at.split('/').pop() ?? ''
const codeOf = ({ body }: { body: Buffer }) => JSON.parse(body.toString()).code

describe('a request that goes on with an upload', () => {
  beforeAll(() => start())
  afterAll(stop)

  test('and vanishes leaves what it brought', async () => {
    const bytes = bytesOf(100_000)
    const at = await tus.begin(bytes.length)
    const socket = patching(at, 0, bytes.length)
    socket.write(bytes.subarray(0, 70_001))
    await until(async () => (await tus.offset(at)) === 70_001)
    socket.write(bytes.subarray(70_001, 70_007))
    await Bun.sleep(5)
    socket.destroy()
    await until(async () => (await tus.offset(at)) === 70_007)
    expect((await tus.file(await tus.patch(at, 70_007, bytes.subarray(70_007)))).bytes.equals(bytes)).toBeTrue()
  })

  test('is not disturbed by whoever asks where it stands', async () => {
    const at = await tus.begin(6)
    const socket = patching(at, 0, 6)
    socket.write('abc')
    await until(async () => (await tus.offset(at)) === 3)
    socket.write('d')
    await until(async () => (await tus.offset(at)) === 4)
    socket.write('ef')
    const { status, headers } = await readAnswer(socket)
    expect([status, headers.get('upload-offset')]).toEqual([204, '6'])
  })

  test('brings nothing before its checksum was right, so that it is nowhere seen', async () => {
    const at = await tus.begin(6)
    const headers = { ...admin.headers, ...speaks, ...chunkType, 'upload-offset': '0', 'content-length': '3' }
    const sum = `sha1 ${new Bun.CryptoHasher('sha1').update('abc').digest('base64')}`
    const socket = beginRequest(server.port, 'PATCH', at, { ...headers, 'upload-checksum': sum })
    socket.write('ab')
    await Bun.sleep(20)
    expect(await tus.offset(at)).toBe(0)
    socket.write('c')
    expect([(await readAnswer(socket)).status, await tus.offset(at)]).toEqual([204, 3])
    const cut = beginRequest(server.port, 'PATCH', at, { ...headers, 'upload-offset': '3', 'upload-checksum': sum })
    cut.write('de')
    await Bun.sleep(20)
    cut.destroy()
    await Bun.sleep(20)
    expect((await tus.file(await tus.patch(at, 3, 'def'))).bytes.toString()).toBe('abcdef')
  })

  test('ends the one before it, whose bytes it finds', async () => {
    const at = await tus.begin(6)
    const former = patching(at, 0, 6)
    former.write('abc')
    await until(async () => (await tus.offset(at)) === 3)
    former.write('d')
    await Bun.sleep(5)
    const conflict = await tus.patch(at, 3, 'xyz')
    expect([conflict.status, conflict.headers.get('upload-offset')]).toEqual([409, '4'])
    const ended = await readAnswer(former)
    expect([ended.status, codeOf(ended), ended.headers.get('retry-after')]).toEqual([423, 'locked', '2'])
    expect((await tus.file(await tus.patch(at, 4, 'ef'))).bytes.toString()).toBe('abcdef')
  })

  test('beside twenty others is the only one that writes', async () => {
    const bytes = bytesOf(20_000)
    const at = await tus.begin(bytes.length)
    for (let offset = 0; offset < bytes.length; offset += 5000) {
      const part = bytes.subarray(offset, offset + 5000)
      const statuses = (await Promise.all(Array.from({ length: 20 }, () => tus.patch(at, offset, part)))).map(
        ({ status }) => status,
      )
      expect(statuses.filter((status) => status === 204)).toHaveLength(1)
      expect(statuses.filter((status) => ![204, 409, 423].includes(status))).toEqual([])
    }
    const { headers } = await tus.head(at)
    expect((await tus.file({ status: 200, headers, body: {} })).bytes.equals(bytes)).toBeTrue()
  })

  test('ends with the server, which keeps what came', async () => {
    const at = await tus.begin(6)
    const socket = patching(at, 0, 6)
    socket.write('abc')
    await until(async () => (await tus.offset(at)) === 3)
    socket.write('d')
    await Bun.sleep(5)
    await t.app.services.uploads.stop()
    const [row] = await t.db.acrossTenants('test', (orm) =>
      orm
        .select()
        .from(uploads)
        .where(eq(uploads.id, idOf(at))),
    )
    expect([row?.offset, (await readAnswer(socket)).status]).toEqual([4, 503])
  })

  test('ends when its session is revoked, and whoever it is goes on by another', async () => {
    const at = await tus.begin(6)
    const other = await t.signIn(admin.email)
    const socket = patching(at, 0, 6, other)
    socket.write('abc')
    await until(async () => (await tus.offset(at)) === 3)
    expect((await other.post('/api/auth/sign-out')).status).toBe(204)
    expect((await readAnswer(socket)).status).toBe(403)
    expect((await patchAs(other, at)).status).toBe(401)
    expect((await tus.file(await tus.patch(at, 3, 'def'))).bytes.toString()).toBe('abcdef')
  })

  test('ends when its sender may only read from now on', async () => {
    const member = await t.as('member')
    const mine = tusOf(t, member)
    const at = await mine.begin(6)
    const socket = patching(at, 0, 6, member)
    socket.write('abc')
    await until(async () => (await mine.offset(at)) === 3)
    expect((await admin.patch(`/api/members/${member.userId}`, { role: 'viewer' })).status).toBe(200)
    expect((await readAnswer(socket)).status).toBe(403)
    expect([(await mine.head(at)).status, (await mine.send('DELETE', at)).status]).toEqual([403, 403])
    expect(await tus.offset(at)).toBe(3)
  })
})
const patchAs = (who: { headers: Record<string, string> }, at: string) => tusOf(t, who).patch(at, 3, 'def')

describe('an upload is for whoever began it', () => {
  beforeAll(() => start())
  afterAll(stop)
  const statuses = async (who: { headers: Record<string, string> }, at: string) => {
    const as = tusOf(t, who)
    return [(await as.head(at)).status, (await as.patch(at, 0, 'a')).status, (await as.send('DELETE', at)).status]
  }

  test('and for admins; to everybody else it does not exist', async () => {
    const [ada, grace] = [await t.as('member'), await t.as('member')]
    const { body: key } = await admin.post('/api/keys', { name: 'w', level: 'write' })
    const stranger = await t.signIn('stranger@example.com')
    const at = await tusOf(t, ada).begin(3)
    for (const who of [grace, stranger, t.clientOf({ authorization: `Bearer ${key.token}` })])
      expect(await statuses(who, at)).toEqual([404, 404, 404])
    expect(await statuses(ada, at)).toEqual([200, 204, 204])
    const another = await tusOf(t, ada).begin(3)
    expect(await statuses(admin, another)).toEqual([200, 204, 204])
  })

  test('a key, which goes on with its own alone', async () => {
    const { body: made } = await admin.post('/api/keys', { name: 'w', level: 'write' })
    const key = t.clientOf({ authorization: `Bearer ${made.token}` })
    expect(await statuses(key, await tusOf(t, key).begin(3))).toEqual([200, 204, 204])
    expect(await statuses(key, await tus.begin(3))).toEqual([404, 404, 404])
  })

  test('in the project it was begun in', async () => {
    const { body: project } = await admin.post('/api/projects', { name: 'Other' })
    const there = { 'x-project-id': project.id }
    const at = await tus.begin(3, { headers: there })
    const elsewhere = { 'x-project-id': admin.workspace.default_project_id }
    expect((await tus.send('HEAD', at, { headers: elsewhere })).status).toBe(404)
    expect((await tus.file(await tus.patch(at, 0, 'abc'))).project_id).toBe(project.id)
  })
})

describe('where other nodes may write', () => {
  let patch: (offset: number, raw: BodyInit) => Promise<Response>
  let at: string
  let workspaceId: WorkspaceId
  beforeEach(async () => {
    await start()
    // The same database, of which it is not said that nobody else writes to it.
    const node = await createApp(t.config, { ...t.ports, db: { ...t.db, sharing: { kind: 'primary' } } })
    at = await tus.begin(6)
    const [row] = await t.db.orm.select().from(workspaces).where(eq(workspaces.id, admin.workspace.id))
    workspaceId = row!.workspaceId
    const headers = { ...admin.headers, ...speaks, ...chunkType, host: new URL(origin).host }
    patch = async (offset, raw) => {
      const init = { method: 'PATCH', headers: { ...headers, 'upload-offset': String(offset) }, body: raw }
      return node.fetch(new Request(origin + at, init as RequestInit), () => null)
    }
  })
  afterEach(stop)
  const onRow = (set: Partial<typeof uploads.$inferInsert>) => {
    const where = and(eq(uploads.workspaceId, workspaceId), eq(uploads.id, idOf(at)))
    return t.db.batch([statement(builder.update(uploads).set(set).where(where))])
  }
  /** A body that is sent piece by piece. */
  const held = () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const send = (text: string) => writer.write(new TextEncoder().encode(text))
    return { readable, send, end: () => writer.close() }
  }

  test('it waits until the lease of another has run out', async () => {
    // By the clock of the database: those of the nodes are not asked.
    await onRow({ lease: 'another', leaseUntil: Date.now() + 60_000 })
    const locked = await patch(0, 'abc')
    const { code } = (await locked.json()) as { code: string }
    expect([locked.status, code, locked.headers.get('retry-after')]).toEqual([423, 'locked', '2'])
    expect(await tus.offset(at)).toBe(0)
    t.clock.advance(60_000)
    expect((await patch(0, 'abc')).status).toBe(423)
    await onRow({ leaseUntil: Date.now() })
    expect((await patch(0, 'abc')).status).toBe(204)
  })

  test('it holds a lease while it writes, and none afterwards', async () => {
    const { readable, send, end } = held()
    const [began, answer] = [Date.now(), patch(0, readable)]
    await send('abc')
    const lease = async () => {
      const [row] = await t.db.orm.select().from(uploads).where(eq(uploads.workspaceId, workspaceId))
      return row?.leaseUntil ?? Number.NaN
    }
    await until(async () => (await lease()) > 0)
    expect(await lease()).toBeWithin(began + 8000, Date.now() + 8001)
    await end()
    expect([(await answer).status, await lease()]).toEqual([204, 0])
  })

  test('it writes nothing more once another may have taken over, and what it had is not counted', async () => {
    const { readable, send, end } = held()
    const answer = patch(0, readable)
    await send('abc')
    await until(async () => (await tus.offset(at)) === 0)
    t.clock.advance(7500)
    await send('def').catch(() => {})
    await end().catch(() => {})
    expect([(await answer).status, await tus.offset(at)]).toEqual([423, 0])
  })

  test('it puts nothing down over what another has put down', async () => {
    const { readable, send, end } = held()
    const answer = patch(0, readable)
    await send('abc')
    await Bun.sleep(10)
    await onRow({ lease: 'another', leaseUntil: 0 })
    await end()
    expect([(await answer).status, await tus.offset(at)]).toEqual([423, 0])
  })
})
