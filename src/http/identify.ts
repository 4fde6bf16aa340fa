// From a request's credential to whoever it is made as. Nothing is awaited when warm; identity comes from nowhere else.
import { sha256 } from '../lib/crypto'
import { isId } from '../lib/id'
import { type Actor, type Entry, heldIn, type Link, type Person, type Tenancy, type WorkspaceId } from '../permissions'
import type { Held, HeldCache } from '../revocation'
import type { Cookies } from './cookie'
import { findExchange, type Identity, nobody } from './exchange'
import type { OriginGuard } from './origin-guard'
import type { FailureBucket } from './rate-limit'
import { createTickets, ticketIn } from './ticket'

export type SessionProof = Omit<Person, 'origin'>
/** `mayComeFrom`: whether its list of networks has that client's address; an unknown address is in none. */
export type KeyTenancy = { id: string; tenancy: Tenancy; mayComeFrom: ((address: string) => boolean) | null }

export type Sources = {
  cookies: Cookies
  origins: OriginGuard
  failures: FailureBucket
  keyPrefix: string
  /** Whether a text has the shape and checksum of a key: nothing is read for one that has not. */
  isKey: (token: string) => boolean
  sessions: HeldCache<SessionProof>
  keys: HeldCache<KeyTenancy>
  entries: HeldCache<Entry>
  proveSession: (token: string) => Promise<Held<SessionProof> | null>
  proveKey: (token: string) => Promise<Held<KeyTenancy> | null>
  links: HeldCache<Link>
  /** Null for one that was never made or is no more; one that has expired is found. */
  proveLink: (ticket: string) => Promise<Held<Link> | null>
  /** The same as by their tokens: for those who made a link. */
  proveSessionOf: (sessionId: string) => Promise<Held<SessionProof> | null>
  proveKeyOf: (workspaceId: WorkspaceId, id: string) => Promise<Held<KeyTenancy> | null>
  /** `workspace`: public id, or null for the person's only one. Null for one they may not enter or that does not exist. */
  enter: (userId: string, workspace: string | null) => Promise<Held<Entry> | null>
  now: () => number
  /** Note that it was used, without waiting. */
  sessionSeen: (sessionId: string) => void
  keySeen: (key: { id: string; workspace: Actor['workspace'] }) => void
}

/** What the request names, or the thing it asks for says of itself. */
export type Wanted = Readonly<{ workspace: string | null; project: string | null; request: Request }>

const bearer = /^Bearer /i
const bearerToken = /^[A-Za-z0-9._~+/-]{1,2048}$/

type As = { type: 'user' | 'key'; id: string }

/** The actor in the project that the request names, else in the only one it may enter, else in the default one. */
const newActorIn = (tenancy: Tenancy, as: As, wanted: string | null): Identity['actor'] => {
  const { projects, ...rest } = tenancy
  const project =
    wanted !== null
      ? projects.find((p) => p.id === wanted || p.slug === wanted)
      : projects.length === 1
        ? projects[0]
        : projects.find((p) => p.isDefault)
  if (wanted !== null && !project) return null
  // Naming a project confines the request to it: a thing of another one does not exist for it.
  const open = wanted !== null && project ? [project] : projects
  const permissions = project ? heldIn(tenancy, project.id) : tenancy.permissions
  return { ...rest, ...as, permissions, project: project ?? null, projects: open.map((p) => p.id) }
}

const actors = new WeakMap<Tenancy, Map<string | null, Identity['actor']>>()
/** As `newActorIn`; made once for each project, since a tenancy is that of one user or key. What names none is not kept. */
const actorIn = (tenancy: Tenancy, as: As, wanted: string | null): Identity['actor'] => {
  let known = actors.get(tenancy)
  if (!known) {
    known = new Map()
    actors.set(tenancy, known)
  }
  const actor = known.get(wanted)
  if (actor) return actor
  const made = newActorIn(tenancy, as, wanted)
  if (made) known.set(wanted, made)
  return made
}

const within = (person: SessionProof | null, actor: Identity['actor']): Identity =>
  actor ? { person, actor, refusal: 'forbidden' } : { person, actor: null, refusal: 'not_found' }

export const createIdentify = (from: Sources) => {
  const asKey = (wanted: Wanted, { id, tenancy, mayComeFrom }: KeyTenancy): Identity => {
    const { workspace, project, request } = wanted
    // At each request: the cache knows the key, not where it is used from.
    if (mayComeFrom && !mayComeFrom(findExchange(request)?.address ?? '')) return nobody
    from.keySeen({ id, workspace: tenancy.workspace })
    if (workspace !== null && workspace !== tenancy.workspace.publicId) return { ...nobody, refusal: 'not_found' }
    return within(null, actorIn(tenancy, { type: 'key', id }, project))
  }

  const asPerson = ({ project }: Wanted, person: SessionProof, entry: Entry): Identity => {
    if ('refusal' in entry) return { person, actor: null, refusal: entry.refusal }
    const { tenancy, maxAuthAgeMs } = entry
    const isStale = maxAuthAgeMs !== null && from.now() - person.authAt > maxAuthAgeMs
    if (isStale) return { person, actor: null, refusal: 'step_up_required' }
    return within(person, actorIn(tenancy, { type: 'user', id: person.id }, project))
  }

  const throughSession = (wanted: Wanted, person: SessionProof): Identity | Promise<Identity> => {
    const { workspace } = wanted
    if (workspace !== null && !isId('wsp', workspace)) return { person, actor: null, refusal: 'not_found' }
    from.sessionSeen(person.sessionId)
    const key = workspace === null ? person.id : `${person.id} ${workspace}`
    const warm = from.entries.get(key)
    if (warm) return asPerson(wanted, person, warm)
    return from.entries
      .fill(key, () => from.enter(person.id, workspace))
      .then((entry) => (entry ? asPerson(wanted, person, entry) : { person, actor: null, refusal: 'not_found' }))
  }

  /** Looks up a credential that is not known here; one that is none counts against the address it came from. */
  const lookUp = async <T>(
    { request }: Wanted,
    fill: () => Promise<T | null>,
    as: (found: T) => Identity | Promise<Identity>,
  ): Promise<Identity> => {
    const address = findExchange(request)?.address ?? null
    const refusal = from.failures.refusal(address)
    if (refusal) return { ...nobody, refusal }
    const found = await fill()
    if (found) return as(found)
    from.failures.note(address)
    return nobody
  }

  const byKey = (wanted: Wanted, token: string): Identity | Promise<Identity> => {
    const cacheKey = sha256(token)
    const warm = from.keys.get(cacheKey)
    if (warm) return asKey(wanted, warm)
    if (!from.isKey(token)) return nobody
    const fill = () => from.keys.fill(cacheKey, () => from.proveKey(token))
    return lookUp(wanted, fill, (key) => asKey(wanted, key))
  }

  const bySession = (wanted: Wanted, token: string): Identity | Promise<Identity> => {
    const cacheKey = sha256(token)
    const warm = from.sessions.get(cacheKey)
    if (warm) return throughSession(wanted, warm)
    if (!bearerToken.test(token)) return nobody
    const fill = () => from.sessions.fill(cacheKey, () => from.proveSession(token))
    return lookUp(wanted, fill, (person) => throughSession(wanted, person))
  }

  const byTicket = createTickets(from, { lookUp, throughSession, asKey })

  /**
   * Synchronous when everything is cached. With an `Authorization` header, tickets and cookies are ignored; with a ticket,
   * cookies. `workspace`: where the thing that is asked for says it is; a header that names another disagrees. @throws Failure `forbidden`, `unavailable`
   */
  return (request: Request, workspace: string | null = null): Identity | Promise<Identity> => {
    const { headers } = request
    const named = headers.get('x-workspace-id')
    if (workspace !== null && named !== null && named !== workspace) return { ...nobody, refusal: 'not_found' }
    const project = headers.get('x-project-id')
    const alias = headers.get('x-namespace')
    // Two names that disagree are the name of nothing.
    const wantedProject = project !== null && alias !== null && project !== alias ? '' : (project ?? alias)
    const wanted: Wanted = { workspace: workspace ?? named, project: wantedProject, request }
    const authorization = headers.get('authorization')
    if (authorization !== null) {
      if (!bearer.test(authorization)) return nobody
      const token = authorization.slice('Bearer '.length)
      return token.startsWith(from.keyPrefix) ? byKey(wanted, token) : bySession(wanted, token)
    }
    const ticket = ticketIn(request)
    if (ticket) return byTicket(wanted, ticket)
    const cookie = from.cookies.read(headers, 'session')
    if (cookie === undefined) return nobody
    from.origins.byCookie(request)
    return bySession(wanted, cookie)
  }
}
export type Identify = ReturnType<typeof createIdentify>
