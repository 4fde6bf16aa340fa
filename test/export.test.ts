// A workspace's archive: all that is in it and nothing that is secret, for its admin alone, cut with their right.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { countStreams } from './counted-blobs'
import { type Client, type Json, type TestApp, testApp } from './support'
import { newFolder } from './template'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
const start = async (options: Parameters<typeof testApp>[0] = {}) => {
  t = await testApp(options)
  admin = await t.as('admin')
}
beforeEach(() => start())
afterEach(() => t.stop())

const target = () => `/api/workspaces/${admin.workspace.id}/export`
const upload = async (raw: BodyInit, headers: Record<string, string> = {}): Promise<string> =>
  ((await (await t.fetch('POST', '/api/media', { headers: { ...admin.headers, ...headers }, raw })).json()) as Json).id

/** What the system's own tar makes of an archive. */
const unpack = async (body: Response) => {
  const folder = newFolder()
  const path = join(folder, 'a.tar')
  writeFileSync(path, Buffer.from(await body.arrayBuffer()))
  const { exitCode } = Bun.spawnSync(['tar', '-xf', path, '-C', folder])
  expect(exitCode).toBe(0)
  rmSync(path)
  const names = (readdirSync(folder, { recursive: true, withFileTypes: true }) as unknown as Json[])
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name).slice(folder.length + 1))
  const text = (name: string) => readFileSync(join(folder, name), 'utf8')
  const parts = (what: string) => names.filter((n) => n.startsWith(`${what}/`)).sort()
  const lines = (what: string): Json[] =>
    parts(what).flatMap((name) =>
      text(name)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
  return { folder, names, text, parts, lines, manifest: JSON.parse(text('manifest.json')) }
}
const exported = async (who: Client = admin) => unpack(await t.fetch('GET', target(), { headers: who.headers }))

describe.each(['off', 'on'])('the archive, with encryption %s', (encryption) => {
  test('holds every list and every version of every file, read by the system’s own tar', async () => {
    await t.stop()
    await start({ env: { LATCHKEY_MEDIA_ENCRYPTION: encryption } })
    const member = await t.as('member')
    const { body: project } = await admin.post('/api/projects', { name: 'Other', restricted: true })
    await admin.put(`/api/projects/${project.id}/members/${member.userId}`, { role: 'viewer' })
    await admin.post('/api/invitations', { email: 'soon@example.com', role: 'viewer' })
    const { body: key } = await admin.post('/api/keys', { name: 'k' })
    const large = Buffer.alloc(18 * 1024 * 1024 + 7, 'large ')
    const [one, two, empty] = [
      await upload('first'),
      await upload(large, { 'x-project-id': project.id }),
      await upload(''),
    ]
    await t.fetch('PUT', `/api/media/${one}/content`, { headers: admin.headers, raw: 'second' })
    const gone = await upload('deleted before')
    await admin.delete(`/api/media/${gone}`)
    const { body: link } = await admin.post(`/api/media/${one}/links`, {})
    await t.app.services.jobs.runNow('seal')

    const response = await t.fetch('GET', target(), { headers: admin.headers })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-tar'])
    const found = await unpack(response)
    expect(JSON.parse(found.text('workspace.json'))).toMatchObject({ id: admin.workspace.id })
    expect(
      found
        .lines('projects')
        .map((p) => p.name)
        .sort(),
    ).toEqual(['Default', 'Other'])
    expect(found.lines('project-members')).toMatchObject([{ project_id: project.id, user_id: member.userId }])
    expect(
      found
        .lines('members')
        .map((m) => m.user_id)
        .sort(),
    ).toEqual([admin.userId, member.userId].sort())
    expect(found.lines('invitations')).toMatchObject([{ email: 'soon@example.com' }])
    expect(found.lines('keys')).toMatchObject([{ id: key.id, name: 'k' }])
    expect(
      found
        .lines('media')
        .map((m) => m.id)
        .sort(),
    ).toEqual([one, two, empty].sort())
    expect(
      found
        .lines('versions')
        .filter((v) => v.media_id === one)
        .map((v) => v.version),
    ).toEqual([2, 1])
    expect([found.text(`files/${one}/1`), found.text(`files/${one}/2`), found.text(`files/${empty}/1`)]).toEqual([
      ...['first', 'second', ''],
    ])
    expect(readFileSync(join(found.folder, `files/${two}/1`)).equals(large)).toBe(true)
    expect(found.manifest).toMatchObject({ missing: [], counts: { files: 4, media: 3, bytes: 11 + large.length } })
    const text = found.names
      .filter((n) => !n.startsWith('files/'))
      .map(found.text)
      .join('')
    for (const secret of [key.token.slice(12), link.url.split('.')[1], admin.token]) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/(token|secret|ticket)_?hash|"blob"|"workspace_?id"/i)
  })
})

test('its audit is the export that can be verified, in parts', async () => {
  await t.app.services.jobs.runNow('seal')
  const found = await exported()
  const lines = found.lines('audit')
  expect(lines[0]).toMatchObject({ latchkey_audit: 1, workspace: admin.workspace.id })
  expect(lines.slice(1).map((e) => e.position)).toEqual(lines.slice(1).map((_, i) => i + 1))
  const { body } = await admin.get('/api/audit?action=workspace.exported')
  expect(body.data).toMatchObject([{ targets: [admin.workspace.id], actor: { id: admin.userId } }])
})

test('a file that is lost, or deleted while it is made, is named and breaks nothing', async () => {
  const before = new Set(readdirSync(join(t.mediaFolder, 'objects')))
  const lost = await upload('lost')
  const blob = readdirSync(join(t.mediaFolder, 'objects')).find((name) => !before.has(name)) ?? ''
  rmSync(join(t.mediaFolder, 'objects', blob))
  t.clock.advance(1)
  const deleted = await upload('deleted meanwhile')
  t.clock.advance(1)
  const kept = await upload('kept')
  const response = await t.fetch('GET', target(), { headers: admin.headers })
  const reader = response.body!.getReader()
  const chunks: Uint8Array[] = []
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value)
    const isListed = Buffer.from(next.value).toString('latin1').includes(`"id":"${deleted}"`)
    if (isListed) expect((await admin.delete(`/api/media/${deleted}`)).status).toBe(204)
  }
  const found = await unpack(new Response(Buffer.concat(chunks)))
  expect(found.manifest.missing).toEqual([
    { file: `files/${deleted}`, why: 'deleted' },
    { file: `files/${lost}/1`, why: 'unreadable' },
  ])
  expect([found.parts('files'), found.text(`files/${kept}/1`)]).toEqual([[`files/${kept}/1`], 'kept'])
})

describe('who gets one', () => {
  test('an admin with a fresh sign-in; no member, no viewer, no key; for a stranger there is none', async () => {
    const { body: key } = await admin.post('/api/keys', { name: 'k' })
    const stranger = await t.signIn('stranger@example.com')
    const none = `/api/workspaces/wsp_${'0'.repeat(22)}/export`
    for (const who of [
      await t.as('member'),
      await t.as('viewer'),
      t.clientOf({ authorization: `Bearer ${key.token}` }),
    ])
      expect((await who.get(target())).status).toBe(403)
    const bare = ({ status, body }: { status: number; body: Json }) => ({ status, ...body, request_id: '' })
    expect(bare(await stranger.get(target()))).toEqual(bare(await stranger.get(none)))
    expect((await stranger.get(none)).status).toBe(404)
    expect((await t.call('GET', target())).status).toBe(401)
    expect((await t.fetch('GET', target(), { headers: admin.headers })).status).toBe(200)
    t.clock.advance(10 * 60_000 + 1)
    expect((await admin.get(target())).body.code).toBe('step_up_required')
  })

  test('ends with the right to it, between two files and within one, and lets go of what it read', async () => {
    const disk = createDiskBlobs({ folder: newFolder() })
    const { counted, open } = countStreams(disk)
    await t.stop()
    await start({ blobs: counted })
    const second = await t.signIn('second@example.com')
    await t.join(admin.workspace.id, second.userId, 'admin')
    for (let i = 0; i < 2; i++) await upload(Buffer.alloc(20 * 1024 * 1024, i))
    const headers = { ...second.headers, 'x-workspace-id': admin.workspace.id as string }
    const response = await t.fetch('GET', target(), { headers })
    const reader = response.body!.getReader()
    for (let seen = 0; seen < 1024 * 1024; ) seen += (await reader.read()).value?.length ?? 0
    expect(open()).toBe(1)
    expect((await admin.patch(`/api/members/${second.userId}`, { role: 'member' })).status).toBe(200)
    const rest = async () => {
      while (!(await reader.read()).done);
    }
    await expect(rest()).rejects.toMatchObject({ code: 'forbidden' })
    for (const end = performance.now() + 2000; open() > 0 && performance.now() < end; ) await Bun.sleep(2)
    expect(open()).toBe(0)
  })

  test('of the audit alone it takes a place like any download, and as a part of an archive none', async () => {
    const plans = { address: {}, plans: { default: { workspace: {}, caller: {}, quotas: {}, streams: { caller: 1 } } } }
    await t.stop()
    await start({ ports: { plans }, env: { LATCHKEY_RATE_LIMITS: 'default' } })
    const ask = () => t.fetch('GET', '/api/audit/export', { headers: admin.headers })
    const first = await ask()
    expect((await ask()).status).toBe(429)
    await first.body?.cancel()
    expect((await (await ask()).text()).split('\n').length).toBeGreaterThan(1)
    const archive = await t.fetch('GET', target(), { headers: admin.headers })
    expect((await archive.arrayBuffer()).byteLength).toBeGreaterThan(1024)
    expect((await ask()).status).toBe(200)
  })

  test('who goes away in between leaves nothing open', async () => {
    await upload(Buffer.alloc(20 * 1024 * 1024))
    const streams = {
      address: {},
      plans: { default: { workspace: {}, caller: {}, quotas: {}, streams: { caller: 1 } } },
    }
    await t.stop()
    await start({ ports: { plans: streams }, env: { LATCHKEY_RATE_LIMITS: 'default' } })
    await upload(Buffer.alloc(20 * 1024 * 1024))
    const first = await t.fetch('GET', target(), { headers: admin.headers })
    expect((await admin.get(target())).status).toBe(429)
    await first.body?.cancel()
    expect((await t.fetch('GET', target(), { headers: admin.headers })).status).toBe(200)
  })
})
