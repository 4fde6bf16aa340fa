// The only SQL about link tickets.
import { and, eq, inArray, lt, or, sql } from 'drizzle-orm'
import { links, workspaces } from '../../../db/schema'
import type { WorkspaceId } from '../../permissions'
import type { Database } from '../../ports'
import { builder, inserter, statement } from '../../write'

/** Links of one workspace in projects that may be entered: one's own, and any in those of `others`. */
type Reach = { workspaceId: WorkspaceId; maker: string; others: readonly string[] }

export const linkStore = (db: Database) => {
  const locate = db.acrossTenants('a link says which workspace it is in', (orm) =>
    orm
      .select({
        id: links.id,
        workspaceId: links.workspaceId,
        workspace: workspaces.id,
        mediaId: links.mediaId,
        version: links.version,
        ticketHash: links.ticketHash,
        kid: links.kid,
        createdBy: links.createdBy,
        sessionId: links.sessionId,
        expiresAt: links.expiresAt,
      })
      .from(links)
      .innerJoin(workspaces, eq(workspaces.workspaceId, links.workspaceId))
      .where(eq(links.id, sql.placeholder('id')))
      .prepare(),
  )
  const find = db.orm
    .select({ projectId: links.projectId, createdBy: links.createdBy })
    .from(links)
    .where(and(eq(links.workspaceId, sql.placeholder('workspaceId')), eq(links.id, sql.placeholder('id'))))
    .prepare()

  return {
    /** What is needed to judge a ticket of that link, and nothing else. */
    locate: (id: string) => locate.get({ id }),
    find: (workspaceId: WorkspaceId, id: string) => find.get({ workspaceId, id }),
    insert: inserter(links),
    remove: ({ workspaceId, maker, others }: Reach, id: string) =>
      statement(
        builder
          .delete(links)
          .where(
            and(
              eq(links.workspaceId, workspaceId),
              eq(links.id, id),
              or(eq(links.createdBy, maker), inArray(links.projectId, [...others])),
            ),
          ),
      ),
    removeExpiredBefore: (instant: number) => ({
      ...statement(builder.delete(links).where(lt(links.expiresAt, instant))),
      acrossTenants: 'expired links of all workspaces are forgotten',
    }),
  }
}
