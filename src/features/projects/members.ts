// Members of a project: who may enter it while it is restricted, and with which role there.
import { Failure } from '../../errors'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Actor } from '../../permissions'
import type { Clock, Database } from '../../ports'
import { revoke } from '../../revocation'
import { assertFresh } from '../../step-up'
import { demand, guard, type Write } from '../../write'
import type { ProjectMember, PutProjectMember } from './model'
import { type ProjectMemberRow, projectMemberStore } from './store'

const present = (row: ProjectMemberRow): ProjectMember => ({
  user_id: row.userId,
  role: row.role,
  added_at: rfc3339(row.createdAt),
})

const assertEnters = (actor: Actor, projectId: string) => {
  if (!actor.projects.includes(projectId)) throw new Failure('not_found')
}

export const projectMemberService = ({ db, write, clock }: { db: Database; write: Write; clock: Clock }) => {
  const store = projectMemberStore(db)
  const takeBack = (actor: Actor, userId: string) => revoke(clock.now(), `member:${actor.workspace.publicId}:${userId}`)

  return {
    /** Newest first. @throws `not_found` for a project the actor may not enter, or none. */
    async list(actor: Actor, projectId: string, query: PageQuery): Promise<Page<ProjectMember>> {
      assertEnters(actor, projectId)
      const read = (limit: number, after: After | null) => store.list(actor.workspace.id, projectId, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.userId }))
      return { ...page, data: page.data.map(present) }
    },

    /**
     * Lets a member of the workspace in, or gives them another role there.
     * @throws `step_up_required`; `not_found` for no such project or member; `conflict` for a role above their own in the workspace.
     */
    async put(actor: Actor, projectId: string, userId: string, { role }: PutProjectMember): Promise<ProjectMember> {
      assertEnters(actor, projectId)
      assertFresh(actor.person, clock.now())
      const { id: workspaceId } = actor.workspace
      const event = { action: 'project_member.put', targets: [projectId, userId], change: { role } }
      await write(actor, event, [
        demand(store.isProject(workspaceId, projectId), 'not_found'),
        demand(store.isMember(workspaceId, userId), 'not_found'),
        demand(store.mayHold(workspaceId, userId, role), 'conflict', 'That role is above their role in the workspace'),
        store.put({ workspaceId, projectId, userId, role, createdAt: clock.now() }),
        takeBack(actor, userId),
      ])
      const row = await store.find(workspaceId, projectId, userId)
      if (!row) throw new Failure('not_found')
      return present(row)
    },

    /** @throws `not_found`, `step_up_required` */
    async remove(actor: Actor, projectId: string, userId: string): Promise<void> {
      assertEnters(actor, projectId)
      assertFresh(actor.person, clock.now())
      await write(actor, { action: 'project_member.removed', targets: [projectId, userId] }, [
        store.remove(actor.workspace.id, projectId, userId),
        guard('not_found'),
        takeBack(actor, userId),
      ])
    },
  }
}
export type ProjectMemberService = ReturnType<typeof projectMemberService>
