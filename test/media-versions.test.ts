// Versions: new bytes under the same id, each kept, counted and gone with the file; never another file's, never half.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, type Json, type TestApp, testApp } from './support'

const day = 86_400_000
let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
const start = async (options: Parameters<typeof testApp>[0] = {}) => {
  t = await testApp(options)
  admin = await t.as('admin')
}
beforeEach(() => start())
afterEach(() => t.stop())

type Who = { headers: Record<string, string> }
const send = async (method: string, target: string, who: Who, raw: BodyInit, headers: Record<string, string> = {}) => {
  const response = await t.fetch(method, target, { headers: { ...who.headers, ...headers }, raw })
  return { status: response.status, body: (await response.json()) as Json }
}
const upload = async (text: string, headers = {}): Promise<string> =>
  (await send('POST', '/api/media', admin, text, { 'x-file-name': 'a.txt', ...headers })).body.id
const put = (id: string, raw: BodyInit, who: Who = admin, headers = {}) =>
  send('PUT', `/api/media/${id}/content`, who, raw, headers)
const read = async (id: string, query = '', who: Who = admin) => {
  const response = await t.fetch('GET', `/media/${id}${query}`, { headers: who.headers })
  return response.status < 400 ? await response.text() : response.status
}
const etagOf = async (id: string) =>
  (await t.fetch('HEAD', `/media/${id}`, { headers: admin.headers })).headers.get('etag') ?? ''
const used = async (): Promise<number> =>
  (await admin.get('/api/usage/quotas')).body.quotas.find((q: Json) => q.resource === 'storage_bytes').used
const objects = () => readdirSync(join(t.mediaFolder, 'objects')).length
const versionsOf = async (id: string) =>
  (await admin.get(`/api/media/${id}/versions`)).body.data.map((v: Json) => [v.version, v.size])

describe.each(['off', 'on'])('new bytes, with encryption %s', (encryption) => {
  beforeEach(async () => {
    await t.stop()
    await start({ env: { LATCHKEY_MEDIA_ENCRYPTION: encryption } })
  })

  test('are the next version of the same file, under another entity tag; the former ones stay as they were', async () => {
    const member = await t.as('member')
    const id = await upload('one')
    const first = await etagOf(id)
    t.clock.advance(60_000)
    const two = await put(id, 'second', member, { 'x-file-name': 'ignored.txt' })
    expect([two.status, two.body]).toMatchObject([
      200,
      { id, name: 'a.txt', version: 2, size: 6, created_by: admin.userId, changed_by: member.userId },
    ])
    expect(Date.parse(two.body.changed_at) - Date.parse(two.body.created_at)).toBe(60_000)
    await put(id, '3')
    expect([
      await read(id),
      await read(id, '?version=3'),
      await read(id, '?version=2'),
      await read(id, '?version=1'),
    ]).toEqual(['3', '3', 'second', 'one'])
    expect(await etagOf(id)).not.toBe(first)
    const former = await t.fetch('GET', `/media/${id}?version=1`, {
      headers: { ...admin.headers, 'if-none-match': first },
    })
    expect(former.status).toBe(304)
    expect(await versionsOf(id)).toEqual([
      [3, 1],
      [2, 6],
      [1, 3],
    ])
    const page = await admin.get(`/api/media/${id}/versions?limit=2`)
    const rest = await admin.get(`/api/media/${id}/versions?limit=2&cursor=${page.body.next_cursor}`)
    expect([page.body.data.length, rest.body.data.map((v: Json) => v.url), rest.body.next_cursor]).toEqual([
      ...[2, [`/media/${id}?version=1`], null],
    ])
    const audit = await admin.get(`/api/audit?action=media.replaced&target=${id}`)
    expect(audit.body.data.map((e: Json) => e.change.version).sort()).toEqual([2, 3])
  })
})

describe('If-Match', () => {
  test('lets new bytes in where the file is what it names, and else leaves them unread', async () => {
    const id = await upload('one')
    const etag = await etagOf(id)
    expect((await put(id, 'two', admin, { 'if-match': etag })).status).toBe(200)
    let pulled = false
    const body = new ReadableStream(
      {
        pull: (controller) => {
          pulled = true
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const stale = await put(id, body, admin, { 'if-match': etag })
    expect([stale.status, stale.body.code, pulled]).toEqual([412, 'precondition_failed', false])
    expect((await put(id, 'three', admin, { 'if-match': '*' })).status).toBe(200)
    expect((await put(id, 'four', admin, { 'if-match': `W/${await etagOf(id)}` })).status).toBe(412)
    expect(await read(id)).toBe('three')
  })

  test('of two at once lets one in; without it each makes a version', async () => {
    const id = await upload('one')
    const headers = { 'if-match': await etagOf(id) }
    const both = await Promise.all(['two', 'zwei'].map((text) => put(id, text, admin, headers)))
    expect(both.map((a) => a.status).sort()).toEqual([200, 412])
    expect(objects()).toBe(2)
    const many = await Promise.all(Array.from({ length: 6 }, (_, i) => put(id, `n${i}`)))
    expect(many.map((a) => a.body.version).sort()).toEqual([3, 4, 5, 6, 7, 8])
    for (const { body } of many) expect(await read(id, `?version=${body.version}`)).toMatch(/^n\d$/)
    expect((await versionsOf(id)).length).toBe(8)
  })
})

describe('what versions take', () => {
  test('counts against the quota, and is given back with the file, once', async () => {
    const id = await upload('12345')
    await put(id, '123')
    await put(id, '1')
    const other = await upload('1234567')
    expect(await used()).toBe(16)
    const ends = await Promise.all([1, 2].map(() => admin.delete(`/api/media/${id}`)))
    expect(ends.map((a) => a.status).sort()).toEqual([204, 404])
    expect(await used()).toBe(7)
    for (const query of ['', '?version=1', '?version=3']) expect(await read(id, query)).toBe(404)
    expect((await admin.get(`/api/media/${id}/versions`)).status).toBe(404)
    expect((await put(id, 'x')).status).toBe(404)
    expect(await read(other)).toBe('1234567')
  })

  test('is kept on disk while the file is there, and for 30 days after it was deleted', async () => {
    const [id, other] = [await upload('one'), await upload('stays')]
    await put(id, 'two')
    await put(other, 'stays too')
    const sweep = () => t.app.services.sweepMedia(new AbortController().signal)
    t.clock.advance(2 * day)
    admin = await t.as('admin')
    expect(await sweep()).toMatchObject({ purged: 0, orphans: 0 })
    const again = await t.signIn('founder@example.com')
    await again.delete(`/api/media/${id}`)
    expect(objects()).toBe(4)
    t.clock.advance(30 * day + 1)
    expect(await sweep()).toMatchObject({ purged: 1 })
    expect(objects()).toBe(2)
    expect(await sweep()).toMatchObject({ purged: 0, orphans: 0 })
    expect(await read(other, '?version=1', await t.signIn('founder@example.com'))).toBe('stays')
  })

  test('is not taken by bytes that are over the quota: the file stays what it was', async () => {
    await t.stop()
    const plans = { address: {}, plans: { default: { workspace: {}, caller: {}, quotas: { storage_bytes: 8 } } } }
    await start({ ports: { plans } })
    const id = await upload('12345')
    expect((await put(id, '1234')).status).toBe(402)
    expect([await read(id), await used(), objects()]).toEqual(['12345', 5, 1])
    expect((await put(id, '123')).status).toBe(200)
    expect(await used()).toBe(8)
  })
})

describe('who may replace and read versions', () => {
  test('a viewer and a reading key read and replace nothing; a stranger finds nothing, whatever they name', async () => {
    const id = await upload('one')
    await put(id, 'two')
    const [viewer, stranger] = [await t.as('viewer'), await t.signIn('stranger@example.com')]
    const { body: made } = await admin.post('/api/keys', { name: 'r', level: 'read' })
    const reader = t.clientOf({ authorization: `Bearer ${made.token}` })
    for (const who of [viewer, reader] as Client[]) {
      expect((await put(id, 'x', who)).status).toBe(403)
      expect(await read(id, '?version=1', who)).toBe('one')
      expect((await who.get(`/api/media/${id}/versions`)).body.data).toHaveLength(2)
    }
    const none = `med_${'0'.repeat(22)}`
    for (const query of ['', '?version=1', '?version=2']) expect(await read(id, query, stranger)).toBe(404)
    const bare = ({ status, body }: { status: number; body: Json }) => ({ status, ...body, request_id: '' })
    expect(bare(await put(id, 'x', stranger))).toEqual(bare(await put(none, 'x', stranger)))
    expect((await stranger.get(`/api/media/${id}/versions`)).status).toBe(404)
    for (const version of [3, 99]) expect(await read(id, `?version=${version}`)).toBe(404)
    for (const version of ['0', '-1', '1.5', 'x']) expect(await read(id, `?version=${version}`)).toBe(422)
    expect([await read(id), (await versionsOf(id)).length]).toEqual(['two', 2])
  })

  test('a right that ends while bytes come leaves the file as it was', async () => {
    const id = await upload('one')
    const member = await t.as('member')
    const release = Promise.withResolvers<void>()
    const chunks = ['half', 'rest'].map((text) => new TextEncoder().encode(text))
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (chunks.length === 1) await release.promise
          controller.enqueue(chunks.shift()!)
          if (chunks.length === 0) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const answer = put(id, body, member)
    await Bun.sleep(5)
    expect((await admin.patch(`/api/members/${member.userId}`, { role: 'viewer' })).status).toBe(200)
    release.resolve()
    expect((await answer).status).toBe(403)
    expect([await read(id), (await versionsOf(id)).length, await used(), objects()]).toEqual(['one', 1, 3, 1])
  })

  test('a link goes on to open the version it was made for, and no other', async () => {
    const id = await upload('one')
    const { body: link } = await admin.post(`/api/media/${id}/links`, {})
    await put(id, 'two')
    const open = async (url: string) => (await t.fetch('GET', url)).text()
    expect(await open(link.url)).toBe('one')
    expect(await open(`${link.url}&version=1`)).toBe('one')
    expect((await t.fetch('GET', `${link.url}&version=2`)).status).toBe(404)
    const { body: later } = await admin.post(`/api/media/${id}/links`, {})
    expect(await open(later.url)).toBe('two')
  })
})

describe('a resumable upload with media_id', () => {
  const create = (metadata: string, length: number, who: Who = admin) =>
    t.fetch('POST', '/api/uploads', {
      headers: {
        ...who.headers,
        'tus-resumable': '1.0.0',
        'upload-length': String(length),
        'upload-metadata': metadata,
      },
    })
  const named = (id: string) => `media_id ${btoa(id)}`

  test('becomes the next version of that file when all of it came, and takes its bytes of the quota once', async () => {
    const id = await upload('one')
    const made = await create(`${named(id)},filename ${btoa('b.txt')}`, 6)
    expect([made.status, await used(), await read(id)]).toEqual([201, 9, 'one'])
    for (const [offset, raw] of [
      [0, 'sec'],
      [3, 'ond'],
    ] as const)
      await t.fetch('PATCH', made.headers.get('location') ?? '', {
        headers: {
          ...{ ...admin.headers, 'tus-resumable': '1.0.0', 'upload-offset': String(offset) },
          'content-type': 'application/offset+octet-stream',
        },
        raw,
      })
    expect([await read(id), await read(id, '?version=1'), await used()]).toEqual(['second', 'one', 9])
    expect((await admin.get(`/api/media/${id}`)).body).toMatchObject({ version: 2, name: 'a.txt' })
  })

  test('is not begun for a file of another, or none', async () => {
    const id = await upload('one')
    const stranger = await t.signIn('stranger@example.com')
    expect((await create(named(id), 3, stranger)).status).toBe(404)
    expect((await create(named(`med_${'0'.repeat(22)}`), 3)).status).toBe(404)
    expect((await create(named('nonsense'), 3)).status).toBe(422)
    expect((await create(named(id), 3, await t.as('viewer'))).status).toBe(403)
    expect((await create(named(id), 3)).status).toBe(201)
  })
})
