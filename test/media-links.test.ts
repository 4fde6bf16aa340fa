// Link tickets: one file to whoever has the ticket, for as long as its maker may see it, and at most for minutes.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { links } from '../db/schema'
import { builder, statement } from '../src/write'
import { type Answer, type Client, type TestApp, testApp } from './support'
import { beginRequest, readAnswer, serveOnWire } from './wire'

type Person = Awaited<ReturnType<TestApp['as']>>
let app: TestApp
let admin: Person
let stranger: Awaited<ReturnType<TestApp['signIn']>>

beforeAll(async () => {
  app = await testApp()
  admin = await app.as('admin')
  stranger = await app.signIn('stranger@example.com')
})
afterAll(() => app.stop())

const upload = async (text = 'bytes', headers: Record<string, string> = {}) => {
  const made = await app.fetch('POST', '/api/media', { headers: { ...admin.headers, ...headers }, raw: text })
  return ((await made.json()) as { id: string }).id
}
type Link = { id: string; url: string; expires_at: string }
const linkBy = async (who: Client, media: string, body: object = {}): Promise<Link> => {
  const made = await who.post(`/api/media/${media}/links`, body)
  expect(made.status).toBe(201)
  return made.body
}
const open = async (url: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await app.fetch(method, url, { headers })
  return { status: response.status, text: await response.text(), headers: response.headers }
}
const keyOf = async (input: object) => {
  const { body } = await admin.post('/api/keys', { name: 'k', ...input })
  return { id: body.id as string, ...app.clientOf({ authorization: `Bearer ${body.token}` }) }
}
const bare = ({ status, headers, body }: Answer) => ({
  ...{ status, body: { ...body, request_id: '' } },
  headers: { ...Object.fromEntries(headers), 'x-request-id': '' },
})
const absent = () => app.call('GET', `/media/med_${'0'.repeat(22)}?ticket=${'0'.repeat(22)}.${'0'.repeat(43)}`)

describe('a ticket', () => {
  test('opens its file without any other credential: whole, in part, and its head alone', async () => {
    const { url, expires_at } = await linkBy(admin, await upload())
    expect(Date.parse(expires_at) - app.clock.now()).toBe(300_000)
    expect(await open(url)).toMatchObject({ status: 200, text: 'bytes' })
    expect(await open(url, { range: 'bytes=1-2' })).toMatchObject({ status: 206, text: 'yt' })
    const head = await open(url, {}, 'HEAD')
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5'])
    expect((await open(url, { 'if-none-match': head.headers.get('etag') ?? '' })).status).toBe(304)
  })

  test('lets pages of any origin show and read it, by no cookie; without one the same page gets nothing', async () => {
    const media = await upload()
    const { url } = await linkBy(admin, media)
    const foreign = { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' }
    const shown = await open(url, foreign)
    expect([shown.status, Object.fromEntries(shown.headers)]).toMatchObject([
      200,
      {
        'cross-origin-resource-policy': 'cross-origin',
        'access-control-allow-origin': '*',
        'referrer-policy': 'no-referrer',
        'cache-control': 'private, no-cache, no-transform',
      },
    ])
    expect(shown.headers.get('access-control-allow-credentials')).toBeNull()
    const own = await open(`/media/${media}`, admin.headers)
    expect(own.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(own.headers.get('access-control-allow-origin')).toBeNull()
    const cookie = `session=${admin.token}`
    expect((await open(`/media/${media}`, { ...foreign, cookie })).status).toBe(403)
    expect((await open(url.slice(0, -1), { ...foreign, cookie })).status).toBe(404)
  })

  test('that is wrong, expired, revoked, or of another file is the 404 of nothing at all', async () => {
    const media = await upload()
    const [live, ended, brief] = [
      await linkBy(admin, media),
      await linkBy(admin, media),
      await linkBy(admin, media, { expires_in_seconds: 1 }),
    ]
    for (const { url } of [live, ended, brief]) expect((await open(url)).status).toBe(200)
    expect((await admin.delete(`/api/links/${ended.id}`)).status).toBe(204)
    app.clock.advance(1000)
    const nothing = bare(await absent())
    expect(nothing.status).toBe(404)
    const [path, ticket = ''] = live.url.split('?ticket=')
    const cookie = { cookie: `session=${admin.token}` }
    for (const url of [
      ...[ended.url, brief.url, `${path}?ticket=`, `${path}?ticket=x`, `${live.url}&ticket=${ticket}`],
      ...[
        `${path}?ticket=${ticket.slice(0, 23)}${'A'.repeat(43)}`,
        `${path}?ticket=${'A'.repeat(22)}${ticket.slice(22)}`,
      ],
      `/media/${await upload()}?ticket=${ticket}`,
    ])
      for (const headers of [{}, cookie])
        expect([url, bare(await app.call('GET', url, { headers }))]).toEqual([url, nothing])
    expect((await open(live.url)).status).toBe(200)
  })

  test('is looked at on no other route and in no other method', async () => {
    const media = await upload()
    const { url } = await linkBy(admin, media)
    const query = url.slice(url.indexOf('?'))
    for (const [method, target] of [
      ['GET', `/api/media/${media}`],
      ['GET', '/api/whoami'],
      ['GET', '/api/media'],
      ['DELETE', `/api/media/${media}`],
      ['POST', `/api/media/${media}/links`],
    ] as const)
      expect([target, (await app.call(method, target + query)).status]).toEqual([target, 401])
    expect((await app.call('POST', url)).status).toBe(405)
    expect((await open(url, stranger.headers)).status).toBe(404)
    expect((await open(url, admin.headers)).status).toBe(200)
  })

  test('is shown once: kept as a hash alone, in no log line, and not again to a request that is repeated', async () => {
    const media = await upload()
    const again = { headers: { 'idempotency-key': 'link-1' } }
    const made = await admin.post(`/api/media/${media}/links`, {}, again)
    const repeated = await admin.post(`/api/media/${media}/links`, {}, again)
    expect([made.status, repeated.status, repeated.body.code]).toEqual([201, 409, 'already_shown'])
    const ticket = made.body.url.split('?ticket=')[1] as string
    await open(made.body.url)
    await open(`${made.body.url}x`)
    const rows = await app.db.acrossTenants('test', (orm) => orm.select().from(links).all())
    const audit = (await admin.get(`/api/audit?target=${made.body.id}`)).body.data
    expect(audit).toMatchObject([{ action: 'link.created', targets: [made.body.id, media] }])
    for (const text of [app.lines.join(''), JSON.stringify(app.events), JSON.stringify([rows, audit])])
      expect(text).not.toContain(ticket.slice(23))
  })

  test('lasts a second to five minutes', async () => {
    const media = await upload()
    for (const expires_in_seconds of [0, 301, 1.5, '60', null])
      expect((await admin.post(`/api/media/${media}/links`, { expires_in_seconds })).status).toBe(422)
    for (const expires_in_seconds of [1, 300]) await linkBy(admin, media, { expires_in_seconds })
  })

  test('is judged without a read once it was used', async () => {
    const { id, url } = await linkBy(admin, await upload())
    await open(url)
    await app.db.batch([{ ...statement(builder.delete(links)), acrossTenants: 'test' }])
    expect((await open(url)).status).toBe(200)
    expect((await admin.delete(`/api/links/${id}`)).status).toBe(404)
    app.clock.advance(300_000)
    expect((await open(url)).status).toBe(404)
  })
})

describe('the right of its maker', () => {
  /** A link by somebody, which opens, and no longer once something has happened. */
  const endsBy = async (who: Client, happens: (media: string) => Promise<unknown>, headers = {}) => {
    const media = await upload('bytes', headers)
    const { url } = await linkBy(who, media)
    expect((await open(url)).status).toBe(200)
    await happens(media)
    expect(bare(await app.call('GET', url))).toEqual(bare(await absent()))
  }
  const sessionOf = async (who: Client) =>
    (await who.get('/api/sessions')).body.data.find((s: { current: boolean }) => s.current).id as string

  test('ends it with the session, though the person has another, and with sign-out', async () => {
    const viewer = await app.as('viewer')
    const other = await app.signIn(viewer.email)
    await endsBy(viewer, async () => other.delete(`/api/sessions/${await sessionOf(viewer)}`))
    const second = app.clientOf({ ...other.headers, 'x-workspace-id': admin.workspace.id })
    await endsBy(second, () => second.post('/api/auth/sign-out'))
  })

  test('ends it with the membership, and with the file', async () => {
    const viewer = await app.as('viewer')
    await endsBy(viewer, (media) => admin.delete(`/api/media/${media}`))
    await endsBy(viewer, () => admin.delete(`/api/members/${viewer.userId}`))
  })

  test('ends it with the way into a project, and is as narrow as that', async () => {
    const { body: project } = await admin.post('/api/projects', { name: 'Narrow', restricted: true })
    const inside = { 'x-project-id': project.id as string }
    const member = await app.as('member')
    const media = await upload('bytes', inside)
    expect((await member.post(`/api/media/${media}/links`, {})).status).toBe(404)
    await admin.put(`/api/projects/${project.id}/members/${member.userId}`, { role: 'viewer' })
    await endsBy(member, () => admin.delete(`/api/projects/${project.id}/members/${member.userId}`), inside)
  })

  test('is that of a key too: a reading one makes links, which end with it and open only where it may be used', async () => {
    const reader = await keyOf({ level: 'read' })
    await endsBy(reader, () => admin.delete(`/api/keys/${reader.id}`))
    const bound = await keyOf({ level: 'read', ip_allow: ['203.0.113.0/24'] })
    const { url } = await linkBy(bound, await upload())
    expect((await open(url)).status).toBe(200)
    expect((await app.fetch('GET', url, { from: '198.51.100.1' })).status).toBe(404)
    await endsBy(bound, () => admin.patch(`/api/keys/${bound.id}`, { ip_allow: ['198.51.100.0/24'] }))
  })

  test('makes none for what somebody else sees: a stranger finds neither the file nor its link', async () => {
    const media = await upload()
    const { id, url } = await linkBy(admin, media)
    const theirs = await app.call('POST', `/api/media/${media}/links`, { headers: stranger.headers, body: {} })
    const none = await app.call('POST', `/api/media/med_${'0'.repeat(22)}/links`, {
      headers: stranger.headers,
      body: {},
    })
    expect(bare(theirs)).toEqual(bare(none))
    expect([none.status, (await stranger.delete(`/api/links/${id}`)).status]).toEqual([404, 404])
    expect((await open(url)).status).toBe(200)
  })
})

describe('the end of a link', () => {
  test('is for its maker, and for whoever may delete the file; one of two at once ends it', async () => {
    const media = await upload()
    const [viewer, member, other] = [await app.as('viewer'), await app.as('member'), await app.as('viewer')]
    const [own, anothers] = [await linkBy(viewer, media), await linkBy(viewer, media)]
    expect((await other.delete(`/api/links/${own.id}`)).status).toBe(403)
    expect((await open(own.url)).status).toBe(200)
    expect((await viewer.delete(`/api/links/${own.id}`)).status).toBe(204)
    const ends = await Promise.all([member, admin].map((who) => who.delete(`/api/links/${anothers.id}`)))
    expect(ends.map((e) => e.status).sort()).toEqual([204, 404])
    expect((await open(anothers.url)).status).toBe(404)
  })

  test('cuts what is being read by it, as does the end of its session; another link to the file goes on', async () => {
    const server = serveOnWire(app.app.fetch)
    const size = 20 * 1024 * 1024
    const media = await upload('x'.repeat(size))
    const viewer = await app.as('viewer')
    const [lost, kept, theirs] = [await linkBy(admin, media), await linkBy(admin, media), await linkBy(viewer, media)]
    const begin = async ({ url }: Link) => {
      const socket = beginRequest(server.port, 'GET', url)
      const answer = readAnswer(socket)
      await new Promise<void>((resolve) => socket.on('data', ({ length }) => length > 10_000 && resolve()))
      socket.pause()
      return { answer, resume: () => socket.resume() }
    }
    const reading = [await begin(lost), await begin(kept), await begin(theirs)]
    expect((await admin.delete(`/api/links/${lost.id}`)).status).toBe(204)
    expect((await viewer.post('/api/auth/sign-out')).status).toBe(204)
    for (const { resume } of reading) resume()
    expect((await Promise.all(reading.map((r) => r.answer))).map((a) => a.whole)).toEqual([false, true, false])
    server.stop()
  })
})

test('a link is forgotten a day after its end, and not before', async () => {
  const count = async () => (await app.db.acrossTenants('test', (orm) => orm.select().from(links).all())).length
  await linkBy(admin, await upload())
  app.clock.advance(86_400_000)
  await app.app.services.links.sweep()
  expect(await count()).toBeGreaterThan(0)
  app.clock.advance(300_001)
  await app.app.services.links.sweep()
  expect(await count()).toBe(0)
})
