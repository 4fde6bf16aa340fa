// The only SQL about challenges. Each change says in SQL what must hold for it.
import { and, eq, gt, isNull, lt, lte, ne, sql } from 'drizzle-orm'
import { challenges } from '../../../db/schema'
import type { Database } from '../../ports'
import { builder, statement } from '../../write'

export type ChallengeRow = typeof challenges.$inferSelect

const isLive = (now: number) => and(isNull(challenges.outcome), gt(challenges.expiresAt, now))

export const challengeStore = (db: Database) => {
  const byId = db.orm
    .select()
    .from(challenges)
    .where(eq(challenges.id, sql.placeholder('id')))
    .prepare()

  return {
    byId: (id: string) => byId.get({ id }),
    insert: (row: typeof challenges.$inferInsert) => statement(builder.insert(challenges).values(row)),
    /** Counts an attempt before anything is compared; changes no row when none is left. */
    countAttempt: (id: string, bindingHash: string, now: number, maxAttempts: number) =>
      statement(
        builder
          .update(challenges)
          .set({ attempts: sql`${challenges.attempts} + 1` })
          .where(
            and(
              eq(challenges.id, id),
              eq(challenges.bindingHash, bindingHash),
              isLive(now),
              lt(challenges.attempts, maxAttempts),
            ),
          ),
      ),
    countSend: (id: string, bindingHash: string, now: number, rule: { maxSends: number; sentBefore: number }) =>
      statement(
        builder
          .update(challenges)
          .set({ sends: sql`${challenges.sends} + 1`, sentAt: now })
          .where(
            and(
              eq(challenges.id, id),
              eq(challenges.bindingHash, bindingHash),
              isLive(now),
              lt(challenges.sends, rule.maxSends),
              lte(challenges.sentAt, rule.sentBefore),
            ),
          ),
      ),
    /** The one consumption: whoever changes the row has it. */
    consume: (id: string, now: number) =>
      statement(
        builder
          .update(challenges)
          .set({ consumedAt: now, outcome: 'consumed' })
          .where(and(eq(challenges.id, id), isLive(now))),
      ),
    /** Ends the other live challenges of an address. */
    supersede: (addressHash: string, exceptId: string, now: number) =>
      statement(
        builder
          .update(challenges)
          .set({ outcome: 'superseded' })
          .where(and(eq(challenges.addressHash, addressHash), ne(challenges.id, exceptId), isLive(now))),
      ),
    removeOlderThan: (instant: number) =>
      statement(builder.delete(challenges).where(lt(challenges.expiresAt, instant))),
  }
}
