// The only SQL about sessions.
import { and, desc, eq, gt, inArray, isNull, lt, ne, or, sql } from 'drizzle-orm'
import { revocations, sessions } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { Database, Statement } from '../../ports'
import { builder, compile, inserter, statement } from '../../write'

// SQLite takes no offset without a limit.
const atMost = 10_000

export type SessionRow = typeof sessions.$inferSelect

type Surplus = { userId: string; now: number; seenSince: number; keep: number }
const given = (name: keyof Surplus) => sql.placeholder(name)

const surplus = builder
  .select({ id: sessions.id })
  .from(sessions)
  .where(
    and(
      ...[eq(sessions.userId, given('userId')), isNull(sessions.revokedAt)],
      ...[gt(sessions.expiresAt, given('now')), gt(sessions.lastSeenAt, given('seenSince'))],
    ),
  )
  .orderBy(desc(sessions.createdAt), desc(sessions.id))
  .limit(atMost)
  .offset(given('keep'))
const revokeSurplus = compile<Surplus>(
  builder
    .insert(revocations)
    .select(
      builder
        .select({
          seq: sql`null`.as('seq'),
          subject: sql`'session:' || ${sessions.id}`.as('subject'),
          createdAt: sql`${given('now')}`.as('created_at'),
        })
        .from(sessions)
        .where(inArray(sessions.id, surplus)),
    )
    .returning({ seq: revocations.seq, subject: revocations.subject }),
)
const endSurplus = compile<Surplus>(
  builder
    .update(sessions)
    .set({ revokedAt: sql`${given('now')}` })
    .where(inArray(sessions.id, surplus)),
)

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
  const alike = db.orm
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, sql.placeholder('userId')),
        eq(sessions.label, sql.placeholder('label')),
        sql`${sessions.place} is ${sql.placeholder('place')}`,
      ),
    )
    .limit(1)
    .prepare()
  const all = db.orm
    .select()
    .from(sessions)
    .where(eq(sessions.userId, sql.placeholder('userId')))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .prepare()

  return {
    all: (userId: string) => all.all({ userId }),
    /** Whether a person has had a session under that label from that network. */
    hasAlike: async (userId: string, label: string, place: string | null) =>
      (await alike.get({ userId, label, place })) !== undefined,
    byId: (id: string) => byId.get({ id }),
    /** A person's live sessions, newest first. */
    list: (userId: string, now: number, idleMs: number, after: After | null, limit: number) =>
      list.all({ userId, now, seenSince: now - idleMs, limit, ...afterArgs(after) }),
    insert: inserter(sessions),
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
    /** Ends the live sessions of a person but the `keep` newest, and revokes each by itself. */
    endOldest: (userId: string, now: number, idleMs: number, keep: number): Statement[] => {
      const values = { userId, now, seenSince: now - idleMs, keep }
      return [{ ...revokeSurplus(values), revokes: true }, endSurplus(values)]
    },
    /** The mailbox was proved anew; changes no row where the session has ended. */
    confirm: (userId: string, id: string, now: number) =>
      statement(
        builder
          .update(sessions)
          .set({ authAt: now })
          .where(
            and(
              ...[eq(sessions.userId, userId), eq(sessions.id, id)],
              ...[isNull(sessions.revokedAt), gt(sessions.expiresAt, now)],
            ),
          ),
      ),
    removeAll: (userId: string) => statement(builder.delete(sessions).where(eq(sessions.userId, userId))),
    removeEndedBefore: (instant: number) =>
      statement(builder.delete(sessions).where(or(lt(sessions.expiresAt, instant), lt(sessions.revokedAt, instant)))),
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
