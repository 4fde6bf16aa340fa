// The denial matrix: every route asked by everybody. Each denial has a twin: the same request by one who may, which passes.
import { newId } from '../lib/id'
import { type Level, leastRole, ofLevel, ofRole, type Permission, type Role, scopeOf } from '../permissions'
import type { Reply } from './http'
import type { World } from './principals'
import { type Request, type Sample, samples } from './samples'

export type Route = { method: string; path: string; access: string }
type Place = 'default' | 'restricted' | 'lesser'
type Expected = 'passes' | 401 | 403 | 404
/** `status`: of the answer; in words where it is the right one, but tells more than an answer about nothing does. */
export type Cell = {
  route: string
  place: Place
  who: string
  expected: Expected
  status: number | string
  holds: boolean
}
/** The answer to whoever is nobody, and about what does not exist, in which nothing may be told apart. */
type Blank = Readonly<Record<401 | 404, string>>

const dead = new Set(['nobody', 'revoked key', 'expired key', 'revoked session', 'expired session'])
const namingOurs = new Set(['other workspace, naming ours', 'removed member'])
const strangers = new Set([...namingOurs, 'other workspace', 'key of another workspace'])
const roleOf = (who: string) => (['admin', 'member', 'viewer'] as string[]).includes(who) && (who as Role)
const levelOf = (who: string) => /^(read|write|delete|admin) key$/.exec(who)?.[1] as Level | undefined

/** What a principal of ours holds at a place; null for who may not know of it. */
const heldAt = (who: string, place: Place): ReadonlySet<Permission> | null => {
  if (who === 'delete key of one project') return place === 'default' ? ofLevel.delete : null
  const level = levelOf(who)
  if (level) return ofLevel[level]
  const role = roleOf(who)
  if (!role) return null
  if (role === 'admin' || place === 'default') return ofRole[role]
  return place === 'lesser' && role === 'member' ? ofRole[leastRole(role, 'viewer')] : null
}

/** What a stranger gets: 404 for a thing of ours, and where they name our workspace; null where they act in their own. */
const toStranger = (who: string, route: Route, sample: Sample, need: Permission): Expected | null => {
  if (scopeOf(need) === 'operator') return 403
  if (scopeOf(need) === 'account' && who === 'key of another workspace') return 403
  if (scopeOf(need) === 'account') return sample.owner && route.path.includes(':') ? 404 : null
  if (route.path.includes(':') || sample.inProject) return 404
  return namingOurs.has(who) ? 404 : null
}

/** What somebody should get; null where there is nothing to show. */
const expectedOf = (who: string, place: Place, route: Route, sample: Sample): Expected | null => {
  const need = sample.need ?? (route.access as Permission)
  const scope = scopeOf(need)
  if (dead.has(who)) return 401
  if (scope === 'operator') return who === 'operator' ? 'passes' : 403
  if (who === 'operator') return null
  if (strangers.has(who)) {
    const opens = scopeOf(route.access as Permission)
    // A key's level opens the route before its thing is looked for.
    const refused =
      opens === 'workspace' && who === 'key of another workspace' && !ofLevel.admin.has(route.access as Permission)
    return refused ? 403 : toStranger(who, route, sample, need)
  }
  if (scope === 'account') {
    if (!roleOf(who)) return 403
    return sample.owner && sample.owner !== who ? 404 : 'passes'
  }
  if (scope === 'any') return 'passes'
  const held = heldAt(who, sample.inProject ? place : 'default')
  const isTheirs = !sample.owner || sample.owner === who || who === 'admin key'
  if (held?.has(need)) return isTheirs ? 'passes' : 404
  if (held) return scopeOf(route.access as Permission) === 'any' ? 404 : 403
  // Where the request names no project, the role in the workspace refuses first.
  const opens = heldAt(who, 'default')?.has(route.access as Permission) ?? true
  return opens || /media|uploads/.test(route.path) ? 404 : 403
}

const nameOf = ({ method, path }: Route) => `${method} ${path.replace(/\/$/, '').replace(/\{(\w+)\}/g, ':$1')}`

const bare = ({ text }: Reply) => text.replace(/"request_id":"\w+"/, '')

const judge = (reply: Reply, expected: Expected, blank: Blank): Pick<Cell, 'status' | 'holds'> => {
  const { status } = reply
  if (expected === 'passes') return { status, holds: status < 400 }
  if (status !== expected || expected === 403 || bare(reply) === blank[expected])
    return { status, holds: status === expected }
  return { status: `${status} that differs from one about nothing`, holds: false }
}

const runRoute = async (w: World, blank: Blank, route: Route, place: Place, sample: Sample): Promise<Cell[]> => {
  const project = w.projects[place]
  const ask = async (who: string, expected: Expected, { target, ...sent }: Request): Promise<Cell> => {
    const reply = await w.sendAs(who, route.method, target, sent)
    return { route: nameOf(route), place, who, expected, ...judge(reply, expected, blank) }
  }
  const all = Object.keys(w.headersOf).flatMap((who) => {
    const expected = expectedOf(who, place, route, sample)
    return expected === null ? [] : [{ who, expected }]
  })
  const request = await sample.make(w, project)
  const cells: Cell[] = []
  for (const { who, expected } of all) if (expected !== 'passes') cells.push(await ask(who, expected, request))
  if (sample.twin !== undefined) return cells
  let twin: Request | undefined = request
  for (const { who, expected } of all) {
    if (expected !== 'passes') continue
    cells.push(await ask(who, expected, twin ?? (await sample.make(w, project))))
    twin = undefined
    await sample.after?.(w)
  }
  return cells
}

/** Asks every route as everybody. @throws Error for a route that no sample is written for. */
export const runMatrix = async (w: World, routes: readonly Route[]): Promise<Cell[]> => {
  const cells: Cell[] = []
  const blank: Blank = {
    401: bare(await w.send('GET', '/api/whoami')),
    404: bare(await w.call('GET', `/api/media/${newId('med')}`)),
  }
  for (const route of routes) {
    if (route.access.startsWith('open: ')) continue
    const sample = samples[nameOf(route)]
    if (!sample) throw new Error(`No sample request for ${nameOf(route)}: write one in src/doctor/samples.ts`)
    const places: Place[] = sample.inProject ? ['default', 'restricted', 'lesser'] : ['default']
    for (const place of places) cells.push(...(await runRoute(w, blank, route, place, sample)))
  }
  return cells
}

/** The routes that a server describes in its `/api/openapi.json`. */
export const routesOf = (document: Record<string, unknown>): Route[] =>
  Object.entries(document.paths as Record<string, Record<string, Record<string, unknown>>>).flatMap(
    ([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        ...{ method: method.toUpperCase(), path, access: String(operation['x-access']) },
      })),
  )
