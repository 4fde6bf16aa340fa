// Every id of one tenant in every position of another's requests: answered as an id of nothing, and nothing changes.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import Libsql from 'libsql'
import { createSend, listOf, type Reply, type Send, textOf } from '../src/doctor/http'
import { type Route, routesOf } from '../src/doctor/matrix'
import { makeWorld, type World } from '../src/doctor/principals'
import { type Request, samples } from '../src/doctor/samples'
import { type IdKind, newId } from '../src/lib/id'
import { origin, type TestApp, testApp } from './support'

type Operation = { parameters?: { name: string; in: string }[]; requestBody?: Json }
type Json = Record<string, unknown>
type Asked = Route & { name: string; query: string[]; fields: string[] }

const canary = 'canary-of-a'
const idPattern = /^(usr|ses|wsp|prj|key|med|inv|dev|evt|lnk)_/
const selectors = ['x-workspace-id', 'x-project-id', 'x-namespace']
let t: TestApp
let send: Send
let routes: Asked[]

const fieldsOf = (operation: Operation): string[] => {
  const body = operation.requestBody as { content?: Record<string, { schema?: { properties?: Json } }> } | undefined
  return Object.keys(body?.content?.['application/json']?.schema?.properties ?? {})
}

beforeAll(async () => {
  t = await testApp({ env: { LATCHKEY_OPERATORS: 'operator@example.com' } })
  send = createSend(async (method, target, headers, raw) =>
    t.fetch(method, target, { headers, ...(raw !== undefined && { raw }) }),
  )
  const document = (await send('GET', '/api/openapi.json')).body
  const paths = document.paths as Record<string, Record<string, Operation>>
  routes = routesOf(document).flatMap((route) => {
    const name = `${route.method} ${route.path.replace(/\{(\w+)\}/g, ':$1')}`
    const operation = paths[route.path]![route.method.toLowerCase()]!
    const query = (operation.parameters ?? []).flatMap((p) => (p.in === 'query' ? [p.name] : []))
    const usable = samples[name] && samples[name].twin === undefined
    return usable ? [{ ...route, name, query, fields: fieldsOf(operation) }] : []
  })
})
afterAll(() => t.stop())

const newWorld = (name: string) =>
  makeWorld({
    send,
    origin,
    addressOf: (who) => `${name}-${who}@example.com`,
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
  return [project, key, file, link]
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
    expect([method, target, reply.text.includes(canary)]).toEqual([method, target, false])
    expect([method, target, reply.status < 500]).toEqual([method, target, true])
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
        if (real.status === 429 || none.status === 429) continue
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

test('between workspaces: every id of A, as B, is an id of nothing; A is unchanged and shows in no byte', async () => {
  const [a, b] = [await newWorld('a'), await newWorld('b')]
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
  const asked = await swap(b, b.asAdmin, b.projects.default, ids)
  expect(rowsOf(`workspace_id = ${row.n}`)).toBe(before)
  expect(asked).toBeGreaterThan(2500)
}, 120_000)

test('between two restricted projects of one workspace: a member of one finds nothing of the other', async () => {
  const w = await newWorld('c')
  const { member } = w.people
  const [mine, theirs] = [w.projects.lesser, w.projects.restricted]
  await w.call('PUT', `/api/projects/${mine}/members/${member.id}`, { role: 'member' })
  const ids = await plant(w, theirs)
  const before = rowsOf(`project_id = '${theirs}'`)
  const as = { ...member.headers, 'x-workspace-id': w.workspace }
  await swap(w, as, mine, ids)
  expect(rowsOf(`project_id = '${theirs}'`)).toBe(before)
  const twin = await send('GET', `/api/media/${ids[2]}`, { headers: w.asAdmin })
  expect([twin.status, twin.text.includes(canary)]).toEqual([200, true])
}, 120_000)
