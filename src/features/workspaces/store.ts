// The only SQL about workspaces and who may enter them.
import { and, asc, eq, sql } from 'drizzle-orm'
import { members, projects, workspaces } from '../../../db/schema'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, statement } from '../../write'

export const workspaceStore = (db: Database) => {
  const membership = {
    workspaceId: workspaces.workspaceId,
    id: workspaces.id,
    name: workspaces.name,
    createdAt: workspaces.createdAt,
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
    .select({ id: projects.id, slug: projects.slug, isDefault: projects.isDefault, restricted: projects.restricted })
    .from(projects)
    .where(eq(projects.workspaceId, sql.placeholder('workspaceId')))
    .orderBy(asc(projects.createdAt), asc(projects.id))
    .prepare()

  return {
    /** A person's memberships, oldest first. */
    ofPerson: (userId: string) => ofPerson.all({ userId }),
    ofPersonIn: (userId: string, id: string) => ofPersonIn.get({ userId, id }),
    projectsOf: (workspaceId: WorkspaceId) => projectsOf.all({ workspaceId }),
    insert: (row: typeof workspaces.$inferInsert) => statement(builder.insert(workspaces).values(row)),
    insertProject: (row: typeof projects.$inferInsert) => statement(builder.insert(projects).values(row)),
    insertMember: (row: typeof members.$inferInsert) => statement(builder.insert(members).values(row)),
    rename: (workspaceId: WorkspaceId, name: string) =>
      statement(builder.update(workspaces).set({ name }).where(eq(workspaces.workspaceId, workspaceId))),
  }
}
export type Membership = Awaited<ReturnType<ReturnType<typeof workspaceStore>['ofPerson']>>[number]
