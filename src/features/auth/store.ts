// The only SQL about challenges. Each change says in SQL what must hold for it.
import { and, eq, gt, inArray, isNull, lt, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import { challenges, sessions } from '../../../db/schema'
import type { Database } from '../../ports'
import { builder, compile, inserter, statement } from '../../write'

export type ChallengeRow = typeof challenges.$inferSelect
export type Purpose = ChallengeRow['purpose']

type Bound = Pick<ChallengeRow, 'id' | 'bindingHash'>

const [given, now] = [sql.placeholder, sql.placeholder('now')]
const isLive = and(isNull(challenges.outcome), gt(challenges.expiresAt, now))
const isOpenTo = and(eq(challenges.id, given('id')), eq(challenges.bindingHash, given('bindingHash')), isLive)

const countAttempt = compile<Bound & { now: number; max: number }>(
  builder
    .update(challenges)
    .set({ attempts: sql`${challenges.attempts} + 1` })
    .where(and(isOpenTo, lt(challenges.attempts, given('max'))))
    .returning({ attempts: challenges.attempts }),
)
const countSend = compile<Bound & { now: number; max: number; sentBefore: number }>(
  builder
    .update(challenges)
    .set({ sends: sql`${challenges.sends} + 1`, sentAt: sql`${now}` })
    .where(and(isOpenTo, lt(challenges.sends, given('max')), lte(challenges.sentAt, given('sentBefore')))),
)
const consume = compile<{ id: string; now: number }>(
  builder
    .update(challenges)
    .set({ consumedAt: sql`${now}`, outcome: 'consumed' })
    .where(and(eq(challenges.id, given('id')), isLive)),
)
const others = and(eq(challenges.addressHash, given('addressHash')), ne(challenges.id, given('id')), isLive)
const alike = and(eq(challenges.purpose, given('purpose')), sql`${challenges.sessionId} is ${given('sessionId')}`)
const supersede = (which: SQL | undefined) =>
  compile<Pick<ChallengeRow, 'id' | 'addressHash' | 'purpose' | 'sessionId'> & { now: number }>(
    builder.update(challenges).set({ outcome: 'superseded' }).where(which),
  )
const [supersedeAlike, supersedeAll] = [supersede(and(others, alike)), supersede(others)]

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
    countAttempt: ({ id, bindingHash }: Bound, at: number, max: number) =>
      countAttempt({ id, bindingHash, now: at, max }),
    countSend: ({ id, bindingHash }: Bound, at: number, rule: { max: number; sentBefore: number }) =>
      countSend({ id, bindingHash, now: at, ...rule }),
    /** The one consumption: whoever changes the row has it. */
    consume: (id: string, at: number) => consume({ id, now: at }),
    /** Ends the other live challenges of an address: those of one purpose and session, or `all`. */
    supersede: ({ id, addressHash, purpose, sessionId }: ChallengeRow, at: number, all = false) =>
      (all ? supersedeAll : supersedeAlike)({ id, addressHash, purpose, sessionId, now: at }),
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
