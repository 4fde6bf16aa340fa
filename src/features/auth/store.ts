// The only SQL about challenges. Each change says in SQL what must hold for it.
import { and, eq, gt, inArray, isNull, lt, lte, ne, or, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { challenges, sessions } from '../../../db/schema'
import type { Database } from '../../ports'
import { builder, compile, inserter, statement } from '../../write'

export type ChallengeRow = typeof challenges.$inferSelect
export type Purpose = ChallengeRow['purpose']

/** Of one id, bound to something that the asker holds. */
const isBound = (id: string, bindings: readonly string[]): SQL | undefined =>
  and(eq(challenges.id, id), inArray(challenges.bindingHash, [...bindings]))
const isLive = (now: number | Placeholder) => and(isNull(challenges.outcome), gt(challenges.expiresAt, now))

const consume = compile<{ id: string; now: number }>(
  builder
    .update(challenges)
    .set({ consumedAt: sql`${sql.placeholder('now')}`, outcome: 'consumed' })
    .where(and(eq(challenges.id, sql.placeholder('id')), isLive(sql.placeholder('now')))),
)

export const challengeStore = (db: Database) => {
  const byId = db.orm
    .select()
    .from(challenges)
    .where(eq(challenges.id, sql.placeholder('id')))
    .prepare()

  return {
    byId: (id: string) => byId.get({ id }),
    insert: inserter(challenges),
    /** Counts an attempt before anything is compared; changes no row when none is left. */
    countAttempt: (id: string, bindings: readonly string[], now: number, maxAttempts: number) =>
      statement(
        builder
          .update(challenges)
          .set({ attempts: sql`${challenges.attempts} + 1` })
          .where(and(isBound(id, bindings), isLive(now), lt(challenges.attempts, maxAttempts)))
          .returning({ attempts: challenges.attempts }),
      ),
    countSend: (id: string, bindings: readonly string[], now: number, rule: { maxSends: number; sentBefore: number }) =>
      statement(
        builder
          .update(challenges)
          .set({ sends: sql`${challenges.sends} + 1`, sentAt: now })
          .where(
            and(
              isBound(id, bindings),
              isLive(now),
              lt(challenges.sends, rule.maxSends),
              lte(challenges.sentAt, rule.sentBefore),
            ),
          ),
      ),
    /** The one consumption: whoever changes the row has it. */
    consume: (id: string, now: number) => consume({ id, now }),
    /** Ends the other live challenges of an address: those of one purpose and session, or `all`. */
    supersede: ({ id, addressHash, purpose, sessionId }: ChallengeRow, now: number, all = false) =>
      statement(
        builder
          .update(challenges)
          .set({ outcome: 'superseded' })
          .where(
            and(
              ...[eq(challenges.addressHash, addressHash), ne(challenges.id, id), isLive(now)],
              all ? undefined : and(eq(challenges.purpose, purpose), sql`${challenges.sessionId} is ${sessionId}`),
            ),
          ),
      ),
    /** Forgets all that was asked for a person's address, or in a session of theirs. */
    removeOf: (userId: string, addressHash: string) => {
      const own = builder.select({ id: sessions.id }).from(sessions).where(eq(sessions.userId, userId))
      const theirs = or(eq(challenges.addressHash, addressHash), inArray(challenges.sessionId, own))
      return statement(builder.delete(challenges).where(theirs))
    },
    removeOlderThan: (instant: number) =>
      statement(builder.delete(challenges).where(lt(challenges.expiresAt, instant))),
  }
}
