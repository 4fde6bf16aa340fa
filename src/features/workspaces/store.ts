// The only SQL about workspaces and who may enter them.
import { and, asc, eq, gt, isNull, type SQL, sql } from 'drizzle-orm'
import { members, projectMembers, projects, workspaces } from '../../../db/schema'
import { most } from '../../limits'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, demand, inserter, statement } from '../../write'

export const workspaceStore = (db: Database) => {
  const membership = {
    workspaceId: workspaces.workspaceId,
    id: workspaces.id,
    name: workspaces.name,
    createdAt: workspaces.createdAt,
    maxAuthAgeMs: workspaces.maxAuthAgeMs,
    deletesAt: workspaces.deletesAt,
    role: members.role,
    defaultProjectId: projects.id,
  }
  const [ofPerson, ofPersonIn] = db.acrossTenants('a person lists the workspaces they are a member of', (orm) => {
    const all = () =>
      orm
        .select(membership)
        .from(members)
        .innerJoin(workspaces, eq(workspaces.workspaceId, members.workspaceId))
        .innerJoin(projects, and(eq(projects.workspaceId, members.workspaceId), eq(projects.isDefault, true)))
    const own = eq(members.userId, sql.placeholder('userId'))
    return [
      all().where(own).orderBy(asc(members.createdAt), asc(workspaces.id)).prepare(),
      all()
        .where(and(own, eq(workspaces.id, sql.placeholder('id'))))
        .prepare(),
    ] as const
  })
  const projectsOf = db.orm
    .select({
      id: projects.id,
      slug: projects.slug,
      isDefault: projects.isDefault,
      restricted: projects.restricted,
      ownRole: projectMembers.role,
    })
    .from(projects)
    .leftJoin(
      projectMembers,
      and(
        eq(projectMembers.workspaceId, projects.workspaceId),
        eq(projectMembers.projectId, projects.id),
        eq(projectMembers.userId, sql.placeholder('userId')),
      ),
    )
    .where(and(eq(projects.workspaceId, sql.placeholder('workspaceId')), isNull(projects.deletedAt)))
    .orderBy(asc(projects.createdAt), asc(projects.id))
    .prepare()
  const isOf = (workspaceId: WorkspaceId) => eq(workspaces.workspaceId, workspaceId)

  return {
    /** A person's memberships, oldest first. */
    ofPerson: (userId: string) => ofPerson.all({ userId }),
    ofPersonIn: (userId: string, id: string) => ofPersonIn.get({ userId, id }),
    /** The live projects of a workspace, each with the role that the person has in it alone. */
    projectsOf: (workspaceId: WorkspaceId, userId: string | null) =>
      projectsOf.all({ workspaceId, userId: userId ?? '' }),
    insert: inserter(workspaces),
    insertProject: inserter(projects),
    insertMember: inserter(members),
    /** Undoes a batch that has made one too many of a person; placed after what makes it. */
    keepsWithin: (userId: string) => ({
      ...demand(
        sql`(select count(*) from ${members} join ${workspaces} on ${eq(workspaces.workspaceId, members.workspaceId)} where ${and(
          eq(members.userId, userId),
          eq(workspaces.createdBy, userId),
        )}) <= ${most.workspacesMade}`,
        'quota_exceeded',
        `A person has at most ${most.workspacesMade} workspaces that they made, those being deleted among them`,
      ),
      acrossTenants: 'the workspaces that a person made are counted',
    }),
    update: (workspaceId: WorkspaceId, change: { name?: string; maxAuthAgeMs?: number | null }) =>
      statement(builder.update(workspaces).set(change).where(isOf(workspaceId))),
    /** Changes no row when it is being deleted already. */
    delete: (workspaceId: WorkspaceId, deletesAt: number) =>
      statement(
        builder
          .update(workspaces)
          .set({ deletesAt })
          .where(and(isOf(workspaceId), isNull(workspaces.deletesAt))),
      ),
    /** Changes no row where its time is over, or it was not being deleted. */
    restore: (workspaceId: WorkspaceId, now: number) =>
      statement(
        builder
          .update(workspaces)
          .set({ deletesAt: null })
          .where(and(isOf(workspaceId), gt(workspaces.deletesAt, now))),
      ),
    /** Whether the person is an admin there at this moment. */
    isAdmin: (workspaceId: WorkspaceId, userId: string): SQL =>
      sql`exists (select 1 from ${members} where ${and(
        eq(members.workspaceId, workspaceId),
        eq(members.userId, userId),
        eq(members.role, 'admin'),
      )})`,
  }
}
export type Membership = Awaited<ReturnType<ReturnType<typeof workspaceStore>['ofPerson']>>[number]
