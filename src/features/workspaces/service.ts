// Workspaces: making them, and the one rule of who may enter which, in which project.
import { Failure } from '../../errors'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import { type Actor, type Level, ofLevel, ofRole, type Person, type WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { type Held, revoke, type Subject } from '../../revocation'
import type { Event, Write } from '../../write'
import type { CreateWorkspace, Workspace } from './model'
import { type Membership, workspaceStore } from './store'

type Deps = { db: Database; write: Write; clock: Clock }
type Project = { id: string; slug: string; isDefault: boolean }
type Tenancy = Pick<Actor, 'workspace' | 'role' | 'level' | 'environment' | 'permissions'> & { projects: Project[] }
/** What a key says of itself, once proved. */
type KeyProof = {
  id: string
  workspace: Actor['workspace']
  level: Level
  environment: NonNullable<Actor['environment']>
  projects: readonly string[] | null
}

// A number below 2^48, so exact in JavaScript and known before the row is written.
const newWorkspaceId = () => Number(crypto.getRandomValues(new BigUint64Array(1))[0]! >> 16n) as WorkspaceId

const present = (row: Membership): Workspace => ({
  id: row.id,
  name: row.name,
  role: row.role,
  default_project_id: row.defaultProjectId,
  created_at: rfc3339(row.createdAt),
})

export const workspaceService = ({ db, write, clock }: Deps) => {
  const store = workspaceStore(db)

  /** A new workspace with its default project and first admin, as statements for a batch, and the event to audit. */
  const newWorkspace = (userId: string, name: string) => {
    const createdAt = clock.now()
    const [workspaceId, id, projectId] = [newWorkspaceId(), newId('wsp'), newId('prj')]
    const statements: Statement[] = [
      store.insert({ workspaceId, id, name, createdBy: userId, createdAt }),
      store.insertProject({ workspaceId, id: projectId, slug: 'default', name: 'Default', isDefault: true, createdAt }),
      store.insertMember({ workspaceId, userId, role: 'admin', createdAt }),
    ]
    const event: Event = { action: 'workspace.created', targets: [id, projectId], workspaceId }
    return {
      statements,
      event,
      workspace: present({ workspaceId, id, name, createdAt, role: 'admin', defaultProjectId: projectId }),
    }
  }

  const subjectsOf = (userId: string, id: string): Subject[] => [
    `user:${userId}`,
    `workspace:${id}`,
    `member:${id}:${userId}`,
  ]

  const tenancyOf = async ({ workspaceId, id, name, role }: Membership): Promise<Tenancy> => ({
    workspace: { id: workspaceId, publicId: id, name },
    role,
    level: null,
    environment: null,
    permissions: ofRole[role],
    // Nobody but admins enters a restricted project.
    projects: (await store.projectsOf(workspaceId)).filter((p) => role === 'admin' || !p.restricted),
  })

  return {
    newWorkspace,

    async create(person: Person, { name }: CreateWorkspace): Promise<Workspace> {
      const { statements, event, workspace } = newWorkspace(person.id, name)
      // The person may now have to say which workspace they mean.
      await write(person, event, [...statements, revoke(clock.now(), `user:${person.id}`)])
      return workspace
    },

    /** All workspaces of a person, oldest membership first. */
    list: async (userId: string): Promise<Workspace[]> => (await store.ofPerson(userId)).map(present),

    /** @throws `not_found` unless it is the workspace the actor is in. */
    async rename(actor: Actor, id: string, { name }: CreateWorkspace): Promise<Workspace> {
      if (id !== actor.workspace.publicId) throw new Failure('not_found')
      await write(actor, { action: 'workspace.updated', targets: [id], change: { fields: ['name'] } }, [
        store.rename(actor.workspace.id, name),
        revoke(clock.now(), `workspace:${id}`),
      ])
      const row = await store.ofPersonIn(actor.id, id)
      if (!row) throw new Failure('not_found')
      return present(row)
    },

    /**
     * What a person is in a workspace: the one named by public id, or with null their only one. Null where they are no
     * member or there is no such workspace, which nobody can tell apart.
     */
    async enter(
      userId: string,
      id: string | null,
    ): Promise<Held<{ tenancy: Tenancy } | { refusal: 'workspace_required' }> | null> {
      const held = { subjects: [`user:${userId}`] as Subject[], expiresAt: Number.POSITIVE_INFINITY }
      const rows = id === null ? await store.ofPerson(userId) : [await store.ofPersonIn(userId, id)]
      if (id === null && rows.length !== 1) return { ...held, value: { refusal: 'workspace_required' } }
      const row = rows[0]
      return row ? { ...held, subjects: subjectsOf(userId, row.id), value: { tenancy: await tenancyOf(row) } } : null
    },

    /** What a proved key is in its workspace. */
    async tenancyOfKey(key: KeyProof): Promise<Tenancy> {
      const all = await store.projectsOf(key.workspace.id)
      return {
        workspace: key.workspace,
        role: null,
        level: key.level,
        environment: key.environment,
        permissions: ofLevel[key.level],
        projects: key.projects === null ? all : all.filter((p) => key.projects?.includes(p.id)),
      }
    },
  }
}
export type WorkspaceService = ReturnType<typeof workspaceService>
