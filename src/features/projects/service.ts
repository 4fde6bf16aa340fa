// Projects of a workspace. Who may enter which is the workspace's rule; here the actor's list is taken as given.
import { Failure } from '../../errors'
import { newId, randomBase62 } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Actor } from '../../permissions'
import type { Clock, Database } from '../../ports'
import { revoke } from '../../revocation'
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
    async list(actor: Actor, query: PageQuery): Promise<Page<Project>> {
      const read = (limit: number, after: After | null) => store.list(actor.workspace.id, actor.projects, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.id }))
      return { ...page, data: page.data.map(present) }
    },

    /** @throws `conflict` when the slug is taken in this workspace. */
    async create(actor: Actor, input: CreateProject): Promise<Project> {
      const row: ProjectRow = {
        workspaceId: actor.workspace.id,
        id: newId('prj'),
        name: input.name,
        slug: input.slug ?? (slugOf(input.name) || randomBase62(8).toLowerCase()),
        restricted: input.restricted,
        isDefault: false,
        createdAt: clock.now(),
      }
      await write(actor, { action: 'project.created', targets: [row.id] }, [
        { ...store.insert(row), orElse: new Failure('conflict', 'That slug is taken') },
        revoke(row.createdAt, `workspace:${actor.workspace.publicId}`),
      ])
      return present(row)
    },

    /** @throws `not_found` */
    async update(actor: Actor, id: string, { name }: UpdateProject): Promise<Project> {
      const before = await get(actor, id)
      await write(actor, { action: 'project.updated', targets: [id], change: { fields: ['name'] } }, [
        store.rename(actor.workspace.id, id, name),
        guard('not_found'),
      ])
      return { ...before, name }
    },
  }
}
export type ProjectService = ReturnType<typeof projectService>
