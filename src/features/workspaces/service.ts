// Workspaces: making them, and the one rule of who may enter which, in which project.
import { Failure } from '../../errors'
import { newId } from '../../lib/id'
import { rfc3339, rfc3339OrNull } from '../../lib/time'
import {
  type Actor,
  type Entry,
  leastRole,
  ofLevel,
  ofRole,
  type Permission,
  type Person,
  type Tenancy,
  type WorkspaceId,
} from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { type Held, revoke, type Subject } from '../../revocation'
import { assertFresh } from '../../step-up'
import { demand, type Event, guard, type Write } from '../../write'
import type { KeyProof } from '../keys/service'
import type { CreateWorkspace, UpdateWorkspace, Workspace } from './model'
import { type Membership, workspaceStore } from './store'

type Deps = { db: Database; write: Write; clock: Clock }

const graceMs = 14 * 86_400_000
const onlyOneMs = 60_000

// A number below 2^48, so exact in JavaScript and known before the row is written.
const newWorkspaceId = () => Number(crypto.getRandomValues(new BigUint64Array(1))[0]! >> 16n) as WorkspaceId

const present = (row: Membership): Workspace => ({
  id: row.id,
  name: row.name,
  role: row.role,
  default_project_id: row.defaultProjectId,
  created_at: rfc3339(row.createdAt),
  max_auth_age_seconds: row.maxAuthAgeMs === null ? null : row.maxAuthAgeMs / 1000,
  deletes_at: rfc3339OrNull(row.deletesAt),
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
      workspace: present({
        workspaceId,
        id,
        name,
        createdAt,
        maxAuthAgeMs: null,
        deletesAt: null,
        role: 'admin',
        defaultProjectId: projectId,
      }),
    }
  }

  const subjectsOf = (userId: string, id: string): Subject[] => [
    `user:${userId}`,
    `workspace:${id}`,
    `member:${id}:${userId}`,
  ]

  const tenancyOf = async ({ workspaceId, id, name, role }: Membership, userId: string): Promise<Tenancy> => {
    const all = await store.projectsOf(workspaceId, userId)
    // A restricted project is for admins and for its own members, whose role in it never exceeds that in the workspace.
    const projects = all.filter((p) => role === 'admin' || !p.restricted || p.ownRole !== null)
    const narrowed = new Map<string, ReadonlySet<Permission>>()
    for (const { id: project, restricted, ownRole } of projects)
      if (role !== 'admin' && restricted && ownRole !== null) narrowed.set(project, ofRole[leastRole(role, ownRole)])
    return {
      ...{ workspace: { id: workspaceId, publicId: id, name }, role, permissions: ofRole[role], narrowed, projects },
      ...{ level: null, environment: null, lineage: null },
    }
  }

  /** One of the person's. @throws `not_found` */
  const find = async (userId: string, id: string): Promise<Workspace> => {
    const row = await store.ofPersonIn(userId, id)
    if (!row) throw new Failure('not_found')
    return present(row)
  }

  return {
    newWorkspace,

    /** @throws `quota_exceeded` */
    async create(person: Person, { name }: CreateWorkspace): Promise<Workspace> {
      const { statements, event, workspace } = newWorkspace(person.id, name)
      // The person may now have to say which workspace they mean.
      const told = revoke(clock.now(), `user:${person.id}`)
      await write(person, event, [...statements, store.keepsWithin(person.id), told])
      return workspace
    },

    /** All workspaces of a person, oldest membership first; those that are being deleted only when asked for. */
    list: async (userId: string, deleted: 'with deleted' | 'live' = 'live'): Promise<Workspace[]> =>
      (await store.ofPerson(userId)).filter((row) => deleted !== 'live' || row.deletesAt === null).map(present),

    find,

    /** The workspace that an actor who is a person is in. @throws `not_found` */
    describe: (actor: Actor): Promise<Workspace> => find(actor.id, actor.workspace.publicId),

    /** @throws `not_found` unless it is the workspace the actor is in; `step_up_required` for its policy. */
    async update(
      actor: Actor,
      id: string,
      { name, max_auth_age_seconds: seconds }: UpdateWorkspace,
    ): Promise<Workspace> {
      if (id !== actor.workspace.publicId) throw new Failure('not_found')
      if (seconds !== undefined) assertFresh(actor.person, clock.now())
      const policy = seconds !== undefined && { maxAuthAgeMs: seconds === null ? null : seconds * 1000 }
      const change = { ...(name !== undefined && { name }), ...policy }
      const fields = Object.keys(change)
      if (fields.length > 0)
        await write(actor, { action: 'workspace.updated', targets: [id], change: { fields } }, [
          demand(store.isAdmin(actor.workspace.id, actor.id), 'forbidden'),
          store.update(actor.workspace.id, change),
          revoke(clock.now(), `workspace:${id}`),
        ])
      return find(actor.id, id)
    },

    /**
     * Shuts a workspace for everybody and every key at once; after two weeks it is purged.
     * @throws `not_found` unless it is the workspace the actor is in; `step_up_required`; `conflict` if it is being deleted.
     */
    async delete(actor: Actor, id: string): Promise<Workspace> {
      const now = clock.now()
      if (id !== actor.workspace.publicId) throw new Failure('not_found')
      assertFresh(actor.person, now)
      await write(actor, { action: 'workspace.deleted', targets: [id] }, [
        demand(store.isAdmin(actor.workspace.id, actor.id), 'forbidden'),
        store.delete(actor.workspace.id, now + graceMs),
        guard('conflict'),
        revoke(now, `workspace:${id}`),
      ])
      return find(actor.id, id)
    },

    /** @throws `not_found` where the person is no admin of it; `conflict` where it is not being deleted, or was; `step_up_required` */
    async restore(person: Person, id: string): Promise<Workspace> {
      const now = clock.now()
      const row = await store.ofPersonIn(person.id, id)
      if (row?.role !== 'admin') throw new Failure('not_found')
      assertFresh(person, now)
      await write(person, { action: 'workspace.restored', targets: [id], workspaceId: row.workspaceId }, [
        demand(store.isAdmin(row.workspaceId, person.id), 'not_found'),
        store.restore(row.workspaceId, now),
        guard('conflict'),
        revoke(now, `workspace:${id}`),
      ])
      return find(person.id, id)
    },

    /**
     * What a person is in a workspace: the one named by public id, or with null their only one. Null where they are no
     * member or there is no such workspace, which nobody can tell apart.
     */
    async enter(userId: string, id: string | null): Promise<Held<Entry> | null> {
      // Which one is the only one changes with another's deletion or return, of which this person's entry hears nothing.
      const expiresAt = id === null ? clock.now() + onlyOneMs : Number.POSITIVE_INFINITY
      const held = { subjects: [`user:${userId}`] as Subject[], expiresAt }
      const all = id === null ? await store.ofPerson(userId) : [await store.ofPersonIn(userId, id)]
      const rows = all.filter((row) => row?.deletesAt === null)
      if (id === null && rows.length !== 1) return { ...held, isLack: true, value: { refusal: 'workspace_required' } }
      const row = rows[0]
      if (!row) return null
      const value = { tenancy: await tenancyOf(row, userId), maxAuthAgeMs: row.maxAuthAgeMs }
      return { ...held, subjects: subjectsOf(userId, row.id), value }
    },

    /** What a proved key is in its workspace. */
    async tenancyOfKey(key: KeyProof): Promise<Tenancy> {
      const all = await store.projectsOf(key.workspace.id, null)
      const { workspace, level, environment, lineage } = key
      return {
        ...{ workspace, role: null, level, environment, lineage, permissions: ofLevel[level], narrowed: new Map() },
        projects: key.projects === null ? all : all.filter((p) => key.projects?.includes(p.id)),
      }
    },
  }
}
export type WorkspaceService = ReturnType<typeof workspaceService>
