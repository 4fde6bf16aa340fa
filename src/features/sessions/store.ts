// The only SQL about sessions.
import { and, desc, eq, gt, isNull, lt, ne, sql } from 'drizzle-orm'
import { sessions } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Database, Statement } from '../../ports'
import { builder, statement } from '../../write'

export type SessionRow = typeof sessions.$inferSelect

export const sessionStore = (db: Database) => {
  const byId = db.orm
    .select()
    .from(sessions)
    .where(eq(sessions.id, sql.placeholder('id')))
    .prepare()
  const list = db.orm
    .select()
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, sql.placeholder('userId')),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, sql.placeholder('now')),
        gt(sessions.lastSeenAt, sql.placeholder('seenSince')),
        isAfter(sessions.createdAt, sessions.id),
      ),
    )
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .limit(sql.placeholder('limit'))
    .prepare()

  return {
    byId: (id: string) => byId.get({ id }),
    /** A person's live sessions, newest first. */
    list: (userId: string, now: number, idleMs: number, after: After | null, limit: number) =>
      list.all({ userId, now, seenSince: now - idleMs, limit, ...afterArgs(after) }),
    insert: (row: typeof sessions.$inferInsert) => statement(builder.insert(sessions).values(row)),
    /** Ends one session of a person; changes no row when it is not theirs or has ended. */
    end: (userId: string, id: string, now: number) =>
      statement(
        builder
          .update(sessions)
          .set({ revokedAt: now })
          .where(
            and(
              eq(sessions.userId, userId),
              eq(sessions.id, id),
              isNull(sessions.revokedAt),
              gt(sessions.expiresAt, now),
            ),
          ),
      ),
    /** Ends all sessions of a person, but the one named, if any. */
    endAll: (userId: string, exceptId: string | null, now: number) =>
      statement(
        builder
          .update(sessions)
          .set({ revokedAt: now })
          .where(
            and(
              eq(sessions.userId, userId),
              isNull(sessions.revokedAt),
              exceptId === null ? undefined : ne(sessions.id, exceptId),
            ),
          ),
      ),
    /** Notes when sessions were last used; an older note never undoes a newer one. */
    seen: (notes: readonly [id: string, at: number][]): Statement[] =>
      notes.map(([id, at]) =>
        statement(
          builder
            .update(sessions)
            .set({ lastSeenAt: at })
            .where(and(eq(sessions.id, id), lt(sessions.lastSeenAt, at))),
        ),
      ),
  }
}
