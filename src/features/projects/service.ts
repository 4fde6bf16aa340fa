// Projects of a workspace. Who may enter which is the workspace's rule; here the actor's list is taken as given.
import { Failure } from '../../errors'
import { newId, randomBase62 } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Actor } from '../../permissions'
import type { Clock, Database } from '../../ports'
import { revoke } from '../../revocation'
import { assertFresh } from '../../step-up'
import { guard, type Write } from '../../write'
import type { CreateProject, Project, UpdateProject } from './model'
import { type ProjectRow, projectStore } from './store'

const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '')

const shown = (restricted: boolean | undefined) => (restricted === undefined ? {} : { restricted })

const present = (row: ProjectRow): Project => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  restricted: row.restricted,
  is_default: row.isDefault,
  created_at: rfc3339(row.createdAt),
})

export const projectService = ({ db, write, clock }: { db: Database; write: Write; clock: Clock }) => {
  const store = projectStore(db)

  const get = async (actor: Actor, id: string): Promise<Project> => {
    const row = actor.projects.includes(id) ? await store.byId(actor.workspace.id, id) : undefined
    if (!row) throw new Failure('not_found')
    return present(row)
  }

  return {
    /** @throws `not_found` for a project the actor may not enter, or none. */
    get,
    /** What the actor made, whether or not they may enter it since. @throws `not_found` */
    async made(actor: Actor, id: string): Promise<Project> {
      const row = await store.byId(actor.workspace.id, id)
      if (!row) throw new Failure('not_found')
      return present(row)
    },
    async list(actor: Actor, query: PageQuery): Promise<Page<Project>> {
      const read = (limit: number, after: After | null) => store.list(actor.workspace.id, actor.projects, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.id }))
      return { ...page, data: page.data.map(present) }
    },

    /** @throws `conflict` when the slug is taken in this workspace; `quota_exceeded`. */
    async create(actor: Actor, input: CreateProject): Promise<Project> {
      const row: ProjectRow = {
        workspaceId: actor.workspace.id,
        id: newId('prj'),
        name: input.name,
        slug: input.slug ?? (slugOf(input.name) || randomBase62(8).toLowerCase()),
        restricted: input.restricted,
        isDefault: false,
        createdAt: clock.now(),
        deletedAt: null,
      }
      await write(actor, { action: 'project.created', targets: [row.id] }, [
        { ...store.insert(row), orElse: new Failure('conflict', 'That slug is taken') },
        store.keepsWithin(row.workspaceId),
        revoke(row.createdAt, `workspace:${actor.workspace.publicId}`),
      ])
      return present(row)
    },

    /**
     * Another name, or whether only its own members enter it, which takes a fresh sign-in, so no key does that.
     * @throws `not_found`, `step_up_required`; `conflict` for the default project, which is open to every member.
     */
    async update(actor: Actor, id: string, { name, restricted }: UpdateProject): Promise<Project> {
      const before = await get(actor, id)
      if (restricted !== undefined) assertFresh(actor.person, clock.now())
      if (before.is_default && restricted) throw new Failure('conflict', 'The default project is open to every member')
      const change = { ...(name !== undefined && { name }), ...(restricted !== undefined && { restricted }) }
      const fields = Object.keys(change)
      if (fields.length > 0)
        await write(actor, { action: 'project.updated', targets: [id], change: { fields, ...shown(restricted) } }, [
          store.update(actor.workspace.id, id, change),
          guard('not_found'),
          ...(restricted === undefined ? [] : [revoke(clock.now(), `workspace:${actor.workspace.publicId}`)]),
        ])
      return { ...before, ...change }
    },

    /**
     * Takes a project and all that is in it out of sight at once; after two weeks it is purged.
     * @throws `not_found`, `step_up_required`; `conflict` for the default project.
     */
    async delete(actor: Actor, id: string): Promise<void> {
      const now = clock.now()
      const { is_default } = await get(actor, id)
      assertFresh(actor.person, now)
      if (is_default) throw new Failure('conflict', 'A workspace keeps its default project')
      await write(actor, { action: 'project.deleted', targets: [id] }, [
        store.delete(actor.workspace.id, id, now),
        guard('not_found'),
        revoke(now, `workspace:${actor.workspace.publicId}`),
      ])
    },
  }
}
export type ProjectService = ReturnType<typeof projectService>
