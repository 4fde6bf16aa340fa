// Media encryption at rest: what lies on disk and in the database shows nothing, opens in no other place, and ends with its workspace.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { workspaceKeys } from '../db/schema'
import { sealedSegmentBytes, sealedSize, segmentBytes } from '../src/lib/segments'
import type { Value } from '../src/ports'
import { type Client, type TestApp, testApp } from './support'
import { beginRequest, readAnswer, serveOnWire } from './wire'

const env = { LATCHKEY_MEDIA_ENCRYPTION: 'on' }
let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
beforeEach(async () => {
  t = await testApp({ env })
  admin = await t.as('admin')
})
afterEach(() => t.stop())

const canary = 'a canary that must never be seen '
const text = (bytes: number) => canary.repeat(Math.ceil(bytes / canary.length)).slice(0, bytes)
const upload = async (raw: string, who: Pick<Client, 'headers'> = admin) =>
  (await t.call('POST', '/api/media', { headers: who.headers, raw })).body.id as string
const read = async (id: string, who: Pick<Client, 'headers'> = admin) => {
  const answer = await t.fetch('GET', `/media/${id}`, { headers: who.headers })
  return { status: answer.status, body: await answer.text().catch(() => 'broke off') }
}
const change = async (sql: string, ...args: Value[]) => {
  const [outcome] = await t.db.batch([{ sql, args, acrossTenants: 'a test' }])
  return outcome?.changes
}
/** What is on record of a file, by columns. */
const rowOf = async (id: string) => {
  const columns = 'workspace_id, project_id, version, blob, size, key'
  const [outcome] = await t.db.batch([
    { sql: `update media set id = id where id = ? returning ${columns}`, args: [id], acrossTenants: 'a test' },
  ])
  return outcome!.rows[0] as Record<'workspace_id' | 'project_id' | 'version' | 'blob' | 'size' | 'key', Value>
}
const objectOf = async (id: string) => join(t.mediaFolder, 'objects', String((await rowOf(id)).blob))
const damaged = () => t.events.filter(({ level, message }) => level === 'error' && message === 'media damaged').length

/** Every file that the program keeps, as one text. */
const everything = () =>
  [dirname(t.path), t.mediaFolder]
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')

describe('bytes at rest', () => {
  test('show nothing of a file, not even while it comes, and are the file when it is asked for', async () => {
    const server = serveOnWire(t.app.fetch)
    const size = 400_000
    const socket = beginRequest(server.port, 'POST', '/api/media', {
      ...admin.headers,
      'Content-Length': String(size),
    })
    const body = text(size)
    socket.write(body.slice(0, 250_000))
    const staged = () => readdirSync(join(t.mediaFolder, 'staged')).map((it) => join(t.mediaFolder, 'staged', it))
    for (const end = performance.now() + 5000; staged().every((path) => statSync(path).size < 3 * segmentBytes); ) {
      if (performance.now() > end) throw new Error('nothing was staged')
      await Bun.sleep(1)
    }
    expect(everything()).not.toContain(canary)
    socket.write(body.slice(250_000))
    const { status, body: answer } = await readAnswer(socket)
    expect(status).toBe(201)
    const { id } = JSON.parse(answer.toString())
    expect(everything()).not.toContain(canary)
    expect(statSync(await objectOf(id)).size).toBe(sealedSize(size))
    expect(await read(id)).toEqual({ status: 200, body })
    server.stop()
  })

  test('show nothing of an upload that waits to be gone on with, whose tail is kept beside', async () => {
    const tus = { ...admin.headers, 'tus-resumable': '1.0.0' }
    const size = 150_000
    const made = await t.fetch('POST', '/api/uploads', { headers: { ...tus, 'upload-length': String(size) } })
    const at = made.headers.get('location') ?? ''
    const patch = (offset: number, raw: string) =>
      t.fetch('PATCH', at, {
        headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
        raw,
      })
    const body = text(size)
    expect((await patch(0, body.slice(0, 90_001))).status).toBe(204)
    expect(everything()).not.toContain(canary)
    const last = await patch(90_001, body.slice(90_001))
    const id = last.headers.get('content-location')?.match(/med_\w+/)?.[0] ?? ''
    expect(await read(id)).toEqual({ status: 200, body })
    expect(everything()).not.toContain(canary)
  })

  test('of one file in the plain would be seen: what is searched is where they are', async () => {
    const plain = await testApp()
    const who = await plain.as('admin')
    await plain.call('POST', '/api/media', { headers: who.headers, raw: text(1000) })
    const [object] = readdirSync(join(plain.mediaFolder, 'objects'))
    expect(readFileSync(join(plain.mediaFolder, 'objects', object!), 'utf8')).toContain(canary)
    await plain.stop()
  })
})

describe('bytes that are not what was stored', () => {
  test('are answered 500, without one of them, and raise an event', async () => {
    const id = await upload(text(200_000))
    const path = await objectOf(id)
    const object = readFileSync(path)
    object[1000]! ^= 1
    writeFileSync(path, object)
    const { status, body } = await read(id)
    expect([status, JSON.parse(body).code, damaged()]).toEqual([500, 'internal', 1])
    expect(body).not.toContain(canary)
  })

  test('cut a stream where they begin, and raise an event', async () => {
    const size = 30 * segmentBytes
    const id = await upload(text(size))
    const path = await objectOf(id)
    const object = readFileSync(path)
    object[20 * sealedSegmentBytes + 1000]! ^= 1
    writeFileSync(path, object)
    const server = serveOnWire(t.app.fetch)
    const answer = await readAnswer(beginRequest(server.port, 'GET', `/media/${id}`, admin.headers))
    server.stop()
    expect([answer.status, answer.whole, damaged()]).toEqual([200, false, 1])
    expect(answer.body.length).toBeLessThanOrEqual(20 * segmentBytes)
    expect(answer.body.equals(Buffer.from(text(size)).subarray(0, answer.body.length))).toBeTrue()
  })

  test('that are shorter or longer than their row says are not there', async () => {
    for (const cut of [-1, 1]) {
      const id = await upload(text(100_000))
      const object = readFileSync(await objectOf(id))
      writeFileSync(await objectOf(id), cut < 0 ? object.subarray(0, cut) : Buffer.concat([object, Buffer.alloc(cut)]))
      expect((await read(id)).status).toBe(500)
    }
    expect(t.events.filter(({ message }) => message === 'media without its object')).toHaveLength(2)
  })
})

describe('a row that was altered', () => {
  const two = async () => {
    const ids = [await upload(text(70_000)), await upload(text(70_000))] as const
    return { ids, rows: [await rowOf(ids[0]), await rowOf(ids[1])] as const }
  }
  const park = 'parked'.padEnd(26, '0')

  test('with the key of another file opens nothing', async () => {
    const { ids, rows } = await two()
    await change('update media set key = ? where id = ?', rows[1].key, ids[0])
    expect([(await read(ids[0])).status, damaged()]).toEqual([500, 1])
    expect(await read(ids[1])).toEqual({ status: 200, body: text(70_000) })
  })

  test('with the bytes and the key of another file opens nothing', async () => {
    const { ids, rows } = await two()
    await change('update media set blob = ? where id = ?', park, ids[1])
    await change('update media set blob = ?, key = ? where id = ?', rows[1].blob, rows[1].key, ids[0])
    expect([(await read(ids[0])).status, damaged()]).toEqual([500, 1])
  })

  test.each([
    ['a smaller size, its object cut to it', 'update media set size = size - 65536 where id = ?', -sealedSegmentBytes],
    ['another version', 'update media set version = version + 1 where id = ?', 0],
    ['no key', 'update media set key = null where id = ?', 0],
    ['a key that is none', "update media set key = 'AAAA' where id = ?", 0],
  ])('to have %s opens nothing', async (_, sql, cut) => {
    const id = await upload(text(2 * segmentBytes))
    const object = readFileSync(await objectOf(id))
    writeFileSync(await objectOf(id), object.subarray(0, object.length + cut))
    expect(await change(sql, id)).toBe(1)
    const { status, body } = await read(id)
    expect(status).toBe(500)
    expect(body).not.toContain(canary)
  })

  test('to stand in another workspace opens nothing there, also where that has a key of its own', async () => {
    const id = await upload(text(70_000))
    const stranger = await t.signIn('stranger@example.com')
    const theirs = await upload(text(70_000), stranger)
    const there = await rowOf(theirs)
    await change(
      'update media set workspace_id = ?, project_id = ? where id = ?',
      there.workspace_id,
      there.project_id,
      id,
    )
    expect([(await read(id, stranger)).status, damaged()]).toEqual([500, 1])
    expect(await read(theirs, stranger)).toEqual({ status: 200, body: text(70_000) })
  })
})

test('the key goes with its workspace: whatever is left of the bytes, or brought back of the rows, is not readable again', async () => {
  const stranger = await t.signIn('stranger@example.com')
  const [lost, kept] = [await upload(text(70_000)), await upload(text(70_000), stranger)]
  const object = readFileSync(await objectOf(lost))
  const row = await rowOf(lost)
  const keys = () => t.db.acrossTenants('a test', (orm) => orm.select().from(workspaceKeys).all())
  expect(await keys()).toHaveLength(2)
  const gone = await admin.delete(`/api/workspaces/${admin.workspace.id}`)
  expect(gone.status).toBeLessThan(300)
  t.clock.advance(15 * 86_400_000)
  await t.app.services.jobs.runNow('purge')
  expect((await keys()).map((key) => Number(key.workspaceId))).not.toContain(Number(row.workspace_id))
  const again = await t.signIn('stranger@example.com')
  expect(await read(kept, again)).toEqual({ status: 200, body: text(70_000) })
  // Whoever kept the row and the object, and has the master key too.
  const there = await rowOf(kept)
  const columns = 'workspace_id, project_id, blob, key'
  await change(
    `update media set (${columns}) = (?, ?, ?, ?) where id = ?`,
    there.workspace_id,
    there.project_id,
    row.blob,
    row.key,
    kept,
  )
  writeFileSync(join(t.mediaFolder, 'objects', String(row.blob)), object)
  const other = await t.signIn('stranger@example.com')
  await other.patch(`/api/media/${kept}`, { name: 'read anew' })
  expect([(await read(kept, other)).status, damaged()]).toEqual([500, 1])
})
