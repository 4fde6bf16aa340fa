// From a request's credential to whoever it is made as. Nothing is awaited when warm; identity comes from nowhere else.
import { sha256 } from '../lib/crypto'
import { isId } from '../lib/id'
import type { Actor, Person } from '../permissions'
import type { Held, HeldCache } from '../revocation'
import type { Cookies } from './cookie'
import { type Identity, nobody } from './exchange'
import type { OriginGuard } from './origin-guard'

type Project = Readonly<{ id: string; slug: string; isDefault: boolean }>
/** What a person or key is inside one workspace, before a project is picked. */
export type Tenancy = Readonly<
  Pick<Actor, 'workspace' | 'role' | 'level' | 'environment' | 'permissions'> & { projects: readonly Project[] }
>
type SessionProof = Omit<Person, 'origin'>
export type KeyTenancy = { id: string; tenancy: Tenancy }
/** A person's way into a workspace: the one named, or their only one. */
export type Entry = { tenancy: Tenancy } | { refusal: 'workspace_required' }

export type Sources = {
  cookies: Cookies
  origins: OriginGuard
  keyPrefix: string
  sessions: HeldCache<SessionProof>
  keys: HeldCache<KeyTenancy>
  entries: HeldCache<Entry>
  proveSession: (token: string) => Promise<Held<SessionProof> | null>
  proveKey: (token: string) => Promise<Held<KeyTenancy> | null>
  /** `workspace`: public id, or null for the person's only one. Null for one they may not enter or that does not exist. */
  enter: (userId: string, workspace: string | null) => Promise<Held<Entry> | null>
  /** Note that it was used, without waiting. */
  sessionSeen: (sessionId: string) => void
  keySeen: (key: { id: string; workspace: Actor['workspace'] }) => void
}

const bearer = /^Bearer ([A-Za-z0-9._~+/-]{1,2048})$/i

/** The actor in the project that the request names, else in the only one it may enter, else in the default one. */
export const actorIn = (
  tenancy: Tenancy,
  as: { type: 'user' | 'key'; id: string },
  wanted: string | null,
): Identity['actor'] => {
  const { projects, ...rest } = tenancy
  const project =
    wanted !== null
      ? projects.find((p) => p.id === wanted || p.slug === wanted)
      : projects.length === 1
        ? projects[0]
        : projects.find((p) => p.isDefault)
  if (wanted !== null && !project) return null
  return { ...rest, ...as, project: project ?? null, projects: projects.map((p) => p.id) }
}

const within = (person: SessionProof | null, actor: Identity['actor']): Identity =>
  actor ? { person, actor, refusal: 'forbidden' } : { person, actor: null, refusal: 'not_found' }

export const createIdentify = (from: Sources) => {
  const wantedProject = (headers: Headers) => headers.get('x-project-id') ?? headers.get('x-namespace')

  const asKey = (headers: Headers, { id, tenancy }: KeyTenancy): Identity => {
    from.keySeen({ id, workspace: tenancy.workspace })
    const workspace = headers.get('x-workspace-id')
    if (workspace !== null && workspace !== tenancy.workspace.publicId) return { ...nobody, refusal: 'not_found' }
    return within(null, actorIn(tenancy, { type: 'key', id }, wantedProject(headers)))
  }

  const asPerson = (headers: Headers, person: SessionProof, entry: Entry): Identity =>
    'refusal' in entry
      ? { person, actor: null, refusal: entry.refusal }
      : within(person, actorIn(entry.tenancy, { type: 'user', id: person.id }, wantedProject(headers)))

  const throughSession = (headers: Headers, person: SessionProof): Identity | Promise<Identity> => {
    const workspace = headers.get('x-workspace-id')
    if (workspace !== null && !isId('wsp', workspace)) return { person, actor: null, refusal: 'not_found' }
    from.sessionSeen(person.sessionId)
    const key = `${person.id} ${workspace ?? ''}`
    const warm = from.entries.get(key)
    if (warm) return asPerson(headers, person, warm)
    return from.entries
      .fill(key, () => from.enter(person.id, workspace))
      .then((entry) => (entry ? asPerson(headers, person, entry) : { person, actor: null, refusal: 'not_found' }))
  }

  const byKey = (headers: Headers, token: string): Identity | Promise<Identity> => {
    const cacheKey = sha256(token)
    const warm = from.keys.get(cacheKey)
    if (warm) return asKey(headers, warm)
    return from.keys.fill(cacheKey, () => from.proveKey(token)).then((key) => (key ? asKey(headers, key) : nobody))
  }

  const bySession = (headers: Headers, token: string): Identity | Promise<Identity> => {
    const cacheKey = sha256(token)
    const warm = from.sessions.get(cacheKey)
    if (warm) return throughSession(headers, warm)
    return from.sessions
      .fill(cacheKey, () => from.proveSession(token))
      .then((person) => (person ? throughSession(headers, person) : nobody))
  }

  /** Synchronous when everything is cached. With an `Authorization` header, cookies are ignored. @throws Failure `forbidden`, `unavailable` */
  return (request: Request): Identity | Promise<Identity> => {
    const { headers } = request
    const authorization = headers.get('authorization')
    if (authorization !== null) {
      const token = bearer.exec(authorization)?.[1]
      if (token === undefined) return nobody
      return token.startsWith(from.keyPrefix) ? byKey(headers, token) : bySession(headers, token)
    }
    const cookie = from.cookies.read(headers, 'session')
    if (cookie === undefined) return nobody
    from.origins.byCookie(request)
    return bySession(headers, cookie)
  }
}
export type Identify = ReturnType<typeof createIdentify>
