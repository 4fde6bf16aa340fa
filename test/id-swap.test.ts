// Every id of one tenant in every position of another's requests: answered as an id of nothing, and nothing changes.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { createSend, listOf, type Reply, type Send, textOf } from '../src/doctor/http'
import { makeWorld, type World } from '../src/doctor/principals'
import { type Request, samples } from '../src/doctor/samples'
import { type IdKind, newId } from '../src/lib/id'
import { type Asked, askedRoutes } from './asked'
import { origin, type TestApp, testApp } from './support'

type Json = Record<string, unknown>

const canary = 'canary-of-a'
const base64 = (text: string) => Buffer.from(text).toString('base64')
/** As it is, and within the base64 of a text that begins with it. */
const canaries = [canary, base64(canary).replace(/..=*$/, '')]
const idPattern = /^(usr|ses|wsp|prj|key|med|inv|dev|evt|lnk|upl)_/
const selectors = ['x-workspace-id', 'x-project-id', 'x-namespace']
let t: TestApp
let send: Send
let routes: Asked[]
/** Of the last answer. */
let headersSeen = ''

beforeAll(async () => {
  t = await testApp({ env: { LATCHKEY_OPERATORS: 'operator@example.com' } })
  send = createSend(async (method, target, headers, raw) => {
    const answer = await t.fetch(method, target, { headers, ...(raw !== undefined && { raw }) })
    headersSeen = JSON.stringify([...answer.headers])
    return answer
  })
  routes = askedRoutes((await send('GET', '/api/openapi.json')).body)
})
afterAll(() => t.stop())

const newWorld = (name: string) =>
  makeWorld({
    send,
    origin,
    addressOf: (who) => `${name.replace(/ /g, '-')}-${who}@example.com`,
    codeFor: t.codeFor,
    wait: async (ms) => t.clock.advance(ms),
    now: t.clock.now,
    made: new Map(),
  })

/** Things of every kind in a project, each named by the canary where it has a name. Gives their ids. */
const plant = async (w: World, project: string): Promise<string[]> => {
  const named = { name: canary }
  await w.call('PATCH', `/api/projects/${project}`, named)
  const key = textOf(await w.call('POST', '/api/keys', { ...named, level: 'write', projects: [project] }), 'id')
  const headers = { ...w.asAdmin, 'x-project-id': project, 'content-type': 'text/plain', 'x-file-name': canary }
  const file = textOf(await send('POST', '/api/media', { headers, raw: canary }), 'id')
  const link = textOf(
    await send('POST', `/api/media/${file}/links`, { headers: { ...w.asAdmin, 'x-project-id': project }, body: {} }),
    'id',
  )
  const begun = { 'tus-resumable': '1.0.0', 'upload-length': '13', 'upload-metadata': `filename ${base64(canary)}` }
  const upload = { ...w.asAdmin, 'x-project-id': project, ...begun }
  const { location } = await send('POST', '/api/uploads', { headers: upload })
  return [project, key, file, link, location.split('/').at(-1)!]
}

/** Each way to put an id into a request: in its path, its query, its headers and its body. */
const positions = (request: Request, { query, fields }: Asked, id: string): Request[] => {
  const [path = ''] = request.target.split('?')
  // Each of these signs in for its sample, and a person has only so many sessions: by their path alone.
  const isCostly = /sessions|devices/.test(path)
  const parts = path.split('/')
  const kind = id.slice(0, 4)
  const inPath = parts.flatMap((part, i) =>
    idPattern.test(part) && part.startsWith(kind) ? [{ ...request, target: parts.with(i, id).join('/') }] : [],
  )
  const inQuery = query.map((name) => ({ ...request, target: `${path}?${name}=${id}` }))
  // Nothing else is ever named there.
  const inHeaders = (/^(wsp|prj)/.test(kind) ? selectors : []).map((name) => ({
    ...request,
    headers: { ...request.headers, [name]: id },
  }))
  const replaces = { 'upload-metadata': `filename ${base64('a.txt')},media_id ${base64(id)}` }
  if (kind === 'med_' && request.headers?.['upload-length'])
    inHeaders.push({ ...request, headers: { ...request.headers, ...replaces } })
  const body = (request.body ?? {}) as Json
  const inBody = fields.flatMap((name) => [id, [id]].map((value) => ({ ...request, body: { ...body, [name]: value } })))
  return isCostly ? inPath : [...inPath, ...inQuery, ...inHeaders, ...inBody]
}

const bare = (text: string) => text.replace(/"request_id":"\w+"/, '')

/** Sends each of the ids in each position as somebody; beside it, an id of nothing of the same kind. Gives how many. */
const swap = async (w: World, as: Record<string, string>, project: string, ids: readonly string[]): Promise<number> => {
  let asked = 0
  const ask = async (method: string, { target, headers, ...sent }: Request): Promise<Reply> => {
    asked++
    const reply = await send(method, target, { ...sent, headers: { ...as, ...headers } })
    const shows = canaries.some((text) => reply.text.includes(text) || headersSeen.includes(text))
    expect([method, target, shows]).toEqual([method, target, false])
    expect([method, target, reply.status < 500 && reply.status !== 429]).toEqual([method, target, true])
    return reply
  }
  for (const route of routes) {
    let request = await samples[route.name]!.make(w, project)
    // What a request did by right, it has done: the next one is about a new thing.
    const next = async (id: string, i: number): Promise<Reply> => {
      const reply = await ask(route.method, positions(request, route, id)[i]!)
      if (reply.status < 400 && route.method !== 'GET') {
        await samples[route.name]!.after?.(w)
        request = await samples[route.name]!.make(w, project)
      }
      return reply
    }
    for (const id of ids)
      for (const i of positions(request, route, id).keys()) {
        const [real, none] = [await next(id, i), await next(newId(id.slice(0, 3) as IdKind), i)]
        const place = [route.name, id.slice(0, 3), i]
        expect([...place, real.status]).toEqual([...place, none.status])
        if (real.status >= 400) expect([...place, bare(real.text)]).toEqual([...place, bare(none.text)])
      }
  }
  return asked
}

/** All rows of a workspace, or of one project of it, but for what use alone changes. */
const rowsOf = (where: string): string => {
  const file = new Libsql(t.path, { readonly: true })
  const tables = file.prepare("select name from sqlite_schema where type = 'table'").all() as { name: string }[]
  const column = where.split(' ')[0]!
  const rows = tables.flatMap(({ name }) => {
    const columns = (file.prepare(`select name from pragma_table_info('${name}')`).all() as { name: string }[]).map(
      (c) => c.name,
    )
    if (!columns.includes(column) || /^(audit_|usage|quota|workspace_(use|totals|plans))/.test(name)) return []
    return file.prepare(`select * from "${name}" where ${where} order by 1, 2`).all() as Json[]
  })
  file.close()
  expect(rows.length).toBeGreaterThan(0)
  return JSON.stringify(rows, (key, value) => (key === 'last_used_at' || key === 'last_seen_at' ? null : value))
}

const asAdmin = (w: World) => w.asAdmin
const asKey = (w: World) => w.headersOf['admin key']!

test.each([
  ['an admin', asAdmin],
  ['a key', asKey],
])(
  'between workspaces: every id of A, as %s of B, is an id of nothing; A is unchanged and shows in no byte',
  async (who, headersOf) => {
    const [a, b] = [await newWorld(`a ${who}`), await newWorld(`b ${who}`)]
    await a.call('PATCH', `/api/workspaces/${a.workspace}`, { name: canary })
    await a.call('PATCH', '/api/me', { name: canary })
    await a.browse()
    const planted = await plant(a, a.projects.default)
    const invited = await a.call('POST', '/api/invitations', { email: `${canary}@example.com`, role: 'viewer' })
    const ids = [
      ...[a.workspace, a.people.admin.id, a.people.member.id, a.projects.restricted, ...planted, textOf(invited, 'id')],
      ...[a.people.admin.session, String(listOf(await a.call('GET', '/api/devices'))[0]?.id)],
      String(listOf(await a.call('GET', '/api/audit'))[0]?.id),
    ]
    expect((await a.call('GET', '/api/projects')).text).toContain(canary)
    const file = new Libsql(t.path, { readonly: true })
    const row = file.prepare('select workspace_id as n from workspaces where id = ?').get(a.workspace) as { n: number }
    file.close()
    const before = rowsOf(`workspace_id = ${row.n}`)
    expect(await swap(b, headersOf(b), b.projects.default, ids)).toBeGreaterThan(2500)
    expect(rowsOf(`workspace_id = ${row.n}`)).toBe(before)
  },
  120_000,
)

const asMember = async (w: World, project: string) => {
  const { id, headers } = w.people.member
  await w.call('PUT', `/api/projects/${project}/members/${id}`, { role: 'member' })
  return { ...headers, 'x-workspace-id': w.workspace }
}
const asKeyOf = async (w: World, project: string) => (await w.newKey({ level: 'delete', projects: [project] })).headers

test.each([
  ['a member', asMember],
  ['a key', asKeyOf],
])(
  'between two restricted projects of one workspace: %s of one finds nothing of the other',
  async (who, headersOf) => {
    const w = await newWorld(`c ${who}`)
    const [mine, theirs] = [w.projects.lesser, w.projects.restricted]
    const ids = await plant(w, theirs)
    const as = await headersOf(w, mine)
    const before = rowsOf(`project_id = '${theirs}'`)
    await swap(w, as, mine, ids)
    expect(rowsOf(`project_id = '${theirs}'`)).toBe(before)
    const twin = await send('GET', `/api/media/${ids[2]}`, { headers: w.asAdmin })
    expect([twin.status, twin.text.includes(canary)]).toEqual([200, true])
  },
  120_000,
)
