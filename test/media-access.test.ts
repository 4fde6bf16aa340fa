// Who may see which bytes: judged where the file is, on each request, and while a stream runs.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { mediaHeads } from './data/media-heads'
import { type Answer, type TestApp, testApp } from './support'

type Person = Awaited<ReturnType<TestApp['as']>>
let app: TestApp
let admin: Person
let member: Person
let viewer: Person
let stranger: Awaited<ReturnType<TestApp['signIn']>>

beforeAll(async () => {
  app = await testApp()
  admin = await app.as('admin')
  member = await app.as('member')
  viewer = await app.as('viewer')
  stranger = await app.signIn('stranger@example.com')
})
afterAll(() => app.stop())

type Made = { id: string; url: string }
const upload = async (
  who: { headers: Record<string, string> },
  text = 'bytes',
  headers: Record<string, string> = {},
) => {
  const response = await app.fetch('POST', '/api/media', {
    headers: { ...who.headers, ...headers },
    raw: Buffer.from(text),
  })
  return { status: response.status, ...((await response.json()) as Made) }
}
const get = async (url: string, headers: Record<string, string>) => {
  const response = await app.fetch('GET', url, { headers })
  return { status: response.status, text: await response.text() }
}
const sameAnswer = ({ status, headers, body }: Answer) => ({
  status,
  body: { ...body, request_id: '' },
  headers: { ...Object.fromEntries(headers), 'x-request-id': '' } as Record<string, string>,
})
const nothing = `/media/med_${'0'.repeat(22)}`

describe('the bytes of a file', () => {
  test('are for everybody in its project, and to them alone they exist', async () => {
    const { url } = await upload(member)
    for (const who of [admin, member, viewer])
      expect(await get(url, who.headers)).toEqual({ status: 200, text: 'bytes' })
    const absent = sameAnswer(await app.call('GET', nothing, { headers: stranger.headers }))
    expect(sameAnswer(await app.call('GET', url, { headers: stranger.headers }))).toEqual(absent)
    expect(absent.status).toBe(404)
    expect(absent.headers['cache-control']).toBe('no-store')
    expect((await app.call('GET', url)).status).toBe(401)
  })

  test('are denied before any condition or range is looked at', async () => {
    const { url } = await upload(member)
    const head = await app.fetch('HEAD', url, { headers: viewer.headers })
    const known = { etag: head.headers.get('etag') ?? '' }
    for (const headers of [
      { 'if-none-match': known.etag },
      { 'if-match': '"x"' },
      { range: 'bytes=99-' },
      { range: 'bytes=0-1' },
    ])
      expect((await app.call('GET', url, { headers: { ...stranger.headers, ...headers } })).status).toBe(404)
    const denied = await app.fetch('HEAD', url, { headers: stranger.headers })
    expect([denied.status, denied.headers.get('etag')]).toEqual([404, null])
    expect((await app.fetch('GET', url, { headers: { ...viewer.headers, 'if-none-match': known.etag } })).status).toBe(
      304,
    )
  })

  test('need no header that names their workspace, and none that names another', async () => {
    const { url } = await upload(member)
    const bare = { authorization: member.headers.authorization ?? '' }
    expect((await get(url, bare)).status).toBe(200)
    expect((await get(url, { ...bare, 'x-workspace-id': admin.workspace.id })).status).toBe(200)
    const own = (await app.call('GET', '/api/workspaces', { headers: bare })).body.data
    const other = own.find((w: { id: string }) => w.id !== admin.workspace.id).id
    expect((await get(url, { ...bare, 'x-workspace-id': other })).status).toBe(404)
  })

  test('of a restricted project are for admins alone, and for no request that names another project', async () => {
    const { body: project } = await admin.post('/api/projects', { name: 'Secret', restricted: true })
    const inside = { 'x-project-id': project.id as string }
    const outside = { 'x-project-id': admin.workspace.default_project_id as string }
    const { url, id } = await upload(admin, 'secret', inside)
    expect((await get(url, admin.headers)).status).toBe(200)
    expect((await get(url, { ...admin.headers, ...inside })).status).toBe(200)
    expect((await get(url, { ...admin.headers, ...outside })).status).toBe(404)
    expect((await get(url, member.headers)).status).toBe(404)
    expect((await member.get(`/api/media/${id}`)).status).toBe(404)
    expect((await upload(member, 'x', inside)).status).toBe(404)
    const listed = async (headers: Record<string, string>) =>
      (await admin.get('/api/media', undefined, { headers })).body.data.map((m: Made) => m.id)
    expect(await listed(inside)).toEqual([id])
    expect(await listed(outside)).not.toContain(id)
  })

  test('are not shown in pages of other sites by a cookie, and are in our own', async () => {
    const { url } = await upload(member)
    const cookie = `session=${member.token}`
    expect((await get(url, { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
    expect((await get(url, { cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(404)
    expect((await get(url, { ...member.headers, 'sec-fetch-site': 'cross-site' })).status).toBe(200)
  })

  test('that are lost although their row is there are our failure, and are logged', async () => {
    const folder = join(app.mediaFolder, 'objects')
    const before = new Set(readdirSync(folder))
    const { url, id } = await upload(member)
    const blob = readdirSync(folder).find((key) => !before.has(key)) ?? ''
    rmSync(join(folder, blob))
    expect((await get(url, viewer.headers)).status).toBe(500)
    expect(app.events.filter((e) => e.fields.media === id)).toMatchObject([{ level: 'error', fields: { blob } }])
    expect((await get(url, stranger.headers)).status).toBe(404)
  })
})

describe('a file in a browser', () => {
  const headersOf = async (bytes: string | Uint8Array<ArrayBuffer>, name: string, range = '') => {
    const headers = { ...admin.headers, 'x-file-name': name, 'content-type': 'text/html' }
    const made = (await (await app.fetch('POST', '/api/media', { headers, raw: bytes })).json()) as Made
    return (await app.fetch('GET', made.url, { headers: { ...admin.headers, ...(range && { range }) } })).headers
  }
  const guards = {
    'content-security-policy':
      "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-cache, no-transform',
    'x-robots-tag': 'none',
    vary: 'Cookie, Authorization',
  }

  test.each([
    ['a page', '<!doctype html><script>alert(1)</script>', 'x.html'],
    ['a drawing', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'x.svg'],
  ])('is saved and never shown where it could run: %s', async (_, text, name) => {
    expect(Object.fromEntries(await headersOf(text, name))).toMatchObject({
      ...guards,
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${name}"`,
    })
  })

  test('is shown where it is a picture by its bytes, under the same guards, in parts too', async () => {
    const png = new Uint8Array(Buffer.from(mediaHeads[0]![2], 'hex'))
    for (const range of ['', 'bytes=0-7'])
      expect(Object.fromEntries(await headersOf(png, 'x.html', range))).toMatchObject({
        ...guards,
        'content-type': 'image/png',
        'content-disposition': 'inline; filename="x.html"',
      })
  })
})

describe('what may be done with a file', () => {
  test('a viewer reads and changes nothing; a member does both', async () => {
    const { id } = await upload(member)
    expect((await upload(viewer)).status).toBe(403)
    expect((await viewer.patch(`/api/media/${id}`, { name: 'x' })).status).toBe(403)
    expect((await viewer.delete(`/api/media/${id}`)).status).toBe(403)
    expect((await viewer.get(`/api/media/${id}`)).body.id).toBe(id)
    expect((await member.patch(`/api/media/${id}`, { name: ' new é ' })).body).toMatchObject({ id, name: 'new é' })
    expect((await member.patch(`/api/media/${id}`, { name: 'a\u202eb' })).status).toBe(422)
    expect((await member.patch(`/api/media/${id}`, { name: 'x', size: 1 })).status).toBe(400)
    expect((await viewer.get(`/api/media/${id}`)).body.name).toBe('new é')
  })

  test('a stranger cannot tell a file from none, and changes nothing', async () => {
    const { id } = await upload(member)
    for (const path of [`/api/media/${id}`, '/api/media/med_0000000000000000000000', '/api/media/a%2F..%00']) {
      expect((await stranger.get(path)).status).toBe(404)
      expect((await stranger.patch(path, { name: 'x' })).status).toBe(404)
      expect((await stranger.delete(path)).status).toBe(404)
    }
    expect((await viewer.get(`/api/media/${id}`)).body.name).toBe('untitled')
    expect((await stranger.get('/api/media')).body.data).toEqual([])
  })

  test('deleted, it is gone at once from every answer', async () => {
    const { id, url } = await upload(member)
    expect((await member.delete(`/api/media/${id}`)).status).toBe(204)
    expect((await get(url, member.headers)).status).toBe(404)
    expect((await member.get(`/api/media/${id}`)).status).toBe(404)
    expect((await member.delete(`/api/media/${id}`)).status).toBe(404)
    const list = (await member.get('/api/media')).body.data
    expect(list.map((m: Made) => m.id)).not.toContain(id)
  })
})
