// The only SQL about the outbox.
import { and, asc, eq, inArray, isNull, lt, lte, or, sql } from 'drizzle-orm'
import { outbox } from '../../../db/schema'
import type { Database, Row } from '../../ports'
import { builder, compile, inserter, statement } from '../../write'

/** Which mail it is. */
export type Template = typeof outbox.$inferSelect.template

/** A mail that is ours to send until `until` (instant, ms). */
export type Claimed = {
  id: string
  template: Template
  about: string
  locale: string
  attempts: number
  createdAt: number
  until: number
}

const waiting = and(isNull(outbox.sentAt), isNull(outbox.failedAt))

/** A row that `claim` returned. */
export const readClaimed = (row: Row): Claimed => ({
  id: row.id as string,
  template: row.template as Template,
  about: row.about as string,
  locale: row.locale as string,
  attempts: row.attempts as number,
  createdAt: row.created_at as number,
  until: row.due_at as number,
})

const claim = compile<{ now: number; until: number; limit: number }>(
  builder
    .update(outbox)
    .set({ dueAt: sql`${sql.placeholder('until')}`, attempts: sql`${outbox.attempts} + 1` })
    .where(
      inArray(
        outbox.id,
        builder
          .select({ id: outbox.id })
          .from(outbox)
          .where(and(waiting, lte(outbox.dueAt, sql.placeholder('now'))))
          .orderBy(asc(outbox.dueAt))
          .limit(sql.placeholder('limit')),
      ),
    )
    .returning(),
)
const end = compile<{ id: string; sentAt: number | null; failedAt: number | null }>(
  builder
    .update(outbox)
    .set({ sentAt: sql`${sql.placeholder('sentAt')}`, failedAt: sql`${sql.placeholder('failedAt')}` })
    .where(and(eq(outbox.id, sql.placeholder('id')), waiting)),
)

export const outboxStore = (db: Database) => {
  const due = db.orm
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(waiting, lte(outbox.dueAt, sql.placeholder('now'))))
    .limit(1)
    .prepare()

  const late = db.orm
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(waiting, lt(outbox.createdAt, sql.placeholder('before'))))
    .limit(1)
    .prepare()

  return {
    /** Whether a mail from before that instant still waits. */
    isLate: async (before: number) => (await late.get({ before })) !== undefined,
    isDue: async (now: number) => (await due.get({ now })) !== undefined,
    insert: inserter(outbox),
    /** Takes mails that are due, the oldest first: until `until` nobody else does. */
    claim: (now: number, until: number, limit: number) => claim({ now, until, limit }),
    /** Sent or given up, once and for good. */
    end: (id: string, how: { sentAt?: number; failedAt?: number }) =>
      end({ id, sentAt: how.sentAt ?? null, failedAt: how.failedAt ?? null }),
    /** Makes a claimed mail due at `dueAt`, unless somebody else has claimed it by now. */
    putOff: ({ id, until }: Claimed, dueAt: number) =>
      statement(
        builder
          .update(outbox)
          .set({ dueAt })
          .where(and(eq(outbox.id, id), eq(outbox.dueAt, until), waiting)),
      ),
    removeEndedBefore: (instant: number) =>
      statement(builder.delete(outbox).where(or(lt(outbox.sentAt, instant), lt(outbox.failedAt, instant)))),
  }
}
