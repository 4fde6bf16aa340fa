// The one table of who may do what: every permission, the least role and the least key level that hold it.
import type { Statement } from './ports'

export const roles = ['viewer', 'member', 'admin'] as const
export type Role = (typeof roles)[number]

export const leastRole = (a: Role, b: Role): Role => (roles.indexOf(a) < roles.indexOf(b) ? a : b)

export const levels = ['read', 'write', 'delete', 'admin'] as const
export type Level = (typeof levels)[number]

type Holders =
  | { scope: 'account' | 'any' | 'operator' }
  | { scope: 'workspace'; role: Role | null; level: Level | null }
const of = (role: Role | null, level: Level | null) => ({ scope: 'workspace', role, level }) as const
const account = { scope: 'account' } as const
const operator = { scope: 'operator' } as const

// scope 'account': any session, no workspace needed, never a key · 'any': every actor · 'operator': whose address is listed · 'workspace': role of a session, level of a key
const table = {
  'whoami:read': { scope: 'any' },
  // The thing itself says its workspace: rights are judged there, by the service.
  'media:stream': { scope: 'any' },
  'account:read': account,
  'account:update': account,
  'account:export': account,
  'account:delete': account,
  'session:read': account,
  'session:revoke': account,
  'session:step-up': account,
  'workspace:create': account,
  'workspace:read': of('viewer', 'read'),
  'workspace:update': of('admin', null),
  'workspace:delete': of('admin', null),
  'workspace:export': of('admin', null),
  // One that is being deleted is entered by nobody: the service asks who was its admin.
  'workspace:restore': account,
  'project:read': of('viewer', 'read'),
  'project:create': of('admin', 'admin'),
  'project:update': of('admin', 'admin'),
  'project:delete': of('admin', null),
  'project-member:read': of('viewer', 'admin'),
  'project-member:update': of('admin', null),
  'member:read': of('viewer', 'admin'),
  'member:update': of('admin', null),
  'member:leave': of('viewer', null),
  'invitation:read': of('admin', null),
  'invitation:create': of('admin', null),
  'invitation:revoke': of('admin', null),
  'invitation:accept': account,
  'key:read': of('admin', 'admin'),
  'key:create': of('admin', null),
  'key:update': of('admin', 'admin'),
  'key:rotate': of('admin', null),
  'key:revoke': of('admin', 'admin'),
  // Opens the route; the service asks for 'key:revoke' too, unless a key ends itself.
  'key:revoke-self': of('admin', 'read'),
  'media:read': of('viewer', 'read'),
  'media:create': of('member', 'write'),
  'media:update': of('member', 'write'),
  'media:replace': of('member', 'write'),
  'media:delete': of('member', 'delete'),
  // A link opens nothing that its maker does not see. Another's takes 'media:delete' too.
  'link:create': of('viewer', 'read'),
  'link:revoke': of('viewer', 'read'),
  'audit:read': of('admin', 'admin'),
  'audit:export': of('admin', null),
  'usage:read': of('admin', 'admin'),
  'operator:read': operator,
  'operator:update': operator,
} as const satisfies Record<string, Holders>

export type Permission = keyof typeof table
export const permissions = Object.keys(table) as Permission[]
export const scopeOf = (permission: Permission): Holders['scope'] => table[permission].scope

const held = (has: (holders: Extract<Holders, { scope: 'workspace' }>) => boolean): ReadonlySet<Permission> =>
  new Set(permissions.filter((p) => table[p].scope === 'any' || (table[p].scope === 'workspace' && has(table[p]))))

const rank = <T>(order: readonly T[], held: T, least: T | null) =>
  least !== null && order.indexOf(held) >= order.indexOf(least)

/** What any session holds about its own person, in no workspace. */
export const ofPerson: ReadonlySet<Permission> = new Set(
  permissions.filter((p) => table[p].scope === 'any' || table[p].scope === 'account'),
)
const byName = <N extends string>(names: readonly N[], of: (name: N) => ReadonlySet<Permission>) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<N, ReadonlySet<Permission>>

/** What a session holds in a workspace, by its role there, beside what it holds in none. */
export const ofRole = byName(roles, (r) => new Set([...ofPerson, ...held((h) => rank(roles, r, h.role))]))
/** What an API key holds in its workspace, by its level. */
export const ofLevel = byName(levels, (l) => held((h) => rank(levels, l, h.level)))

const sorted = new WeakMap<ReadonlySet<Permission>, readonly Permission[]>()
/** The members of one of the sets above, in order; made once for each. */
export const listPermissions = (held: ReadonlySet<Permission>): readonly Permission[] => {
  const known = sorted.get(held) ?? [...held].sort()
  sorted.set(held, known)
  return known
}

/** Internal number of a workspace. It never leaves the program: answers carry the public `wsp_…` id. */
export type WorkspaceId = number & { readonly brand: 'WorkspaceId' }

/** Where a request comes from, for the audit row and the log; of this request only. */
export type Origin = Readonly<{
  requestId: string
  client: string | null
  userAgent: string | null
  /** Goes along with the change that the request makes, given what it makes: an Idempotency-Key stands for that then. */
  claim?: ((madeId: string) => Statement[]) | null
  /** Of a request under way: identifies the caller again. @throws Failure for why it is refused now */
  judgeAnew?: () => Promise<void>
}>

/** A signed-in person in no workspace: enough for their own account and nothing else. */
export type Person = Readonly<{
  type: 'user'
  id: string
  sessionId: string
  authAt: number
  /** Whether they may run the instance. */
  operator?: boolean
  origin: Origin
}>

/** Whoever a request is made as, in one workspace and project: a user through a session, or a key. */
export type Actor = Readonly<{
  type: 'user' | 'key'
  id: string
  /** The person behind a session; null for a key. */
  person: Person | null
  workspace: Readonly<{ id: WorkspaceId; publicId: string; name: string; plan?: string }>
  /** The project the request is about; null if the actor may enter none. */
  project: Readonly<{ id: string; slug: string }> | null
  /** Projects the actor may enter with the right that is asked for; every read of a project's things binds these. */
  projects: readonly string[]
  role: Role | null
  level: Level | null
  environment: 'live' | 'test' | 'dev' | null
  /** Of a key: the first of the line that rotation made, which limits and usage follow. */
  lineage: string | null
  permissions: ReadonlySet<Permission>
  /** What is held in restricted projects where the role is a lesser one; in any other, `permissions`. */
  narrowed: ReadonlyMap<string, ReadonlySet<Permission>>
  origin: Origin
}>

type Project = Readonly<{ id: string; slug: string; isDefault: boolean }>
/** What a person or key is inside one workspace, before a project is picked. */
export type Tenancy = Readonly<
  Pick<Actor, 'workspace' | 'role' | 'level' | 'environment' | 'lineage' | 'permissions' | 'narrowed'> & {
    projects: readonly Project[]
  }
>
/** A person's way into a workspace: the one named, or their only one. */
export type Entry = { tenancy: Tenancy; maxAuthAgeMs: number | null } | { refusal: 'workspace_required' }

/** What a link's ticket opens, and by whose right. `expiresAt` in ms. */
export type Link = Readonly<{
  id: string
  media: string
  version: number
  workspace: string
  expiresAt: number
  maker: Readonly<{ type: 'user'; sessionId: string } | { type: 'key'; id: string; workspaceId: WorkspaceId }>
}>

/** What the actor holds in one of the projects it may enter. */
export const heldIn = (
  { permissions, narrowed }: Pick<Actor, 'permissions' | 'narrowed'>,
  projectId: string,
): ReadonlySet<Permission> => narrowed.get(projectId) ?? permissions

/** The actor as it goes about something that takes `need`: left with the projects in which it holds that. */
export const boundTo = (actor: Actor, need: Permission): Actor =>
  actor.narrowed.size === 0 ? actor : { ...actor, projects: actor.projects.filter((id) => heldIn(actor, id).has(need)) }

/** Whether whoever asks may enter a project and holds `need` in it. */
export const mayIn = (actor: Actor | null, need: Permission, projectId: string): actor is Actor =>
  actor?.projects.includes(projectId) === true && heldIn(actor, projectId).has(need)

/** As whom the request is made in the workspace of that public id, by its credential as it is now; null for nobody there. */
export type Judge = (workspace: string) => Promise<Actor | null>
