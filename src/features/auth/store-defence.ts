// The only SQL about budgets and spent proofs: rows, so that they outlive a restart and several nodes share them.
import { and, eq, gt, lt, not, or, type SQL, sql } from 'drizzle-orm'
import { budgetUses, humanProofs } from '../../../db/schema'
import type { Database, Statement } from '../../ports'
import { builder, ifChanged, statement } from '../../write'
import type { Limit, Share } from './budgets'

const longestMs = 86_400_000

const subjectOf = ([{ name }, of]: Share) => `${name}:${of}`

/** Whether the newest `most` uses all lie within the time the limit looks back. */
const isReached = (subject: string, { most, withinMs }: Limit, now: number): SQL => {
  const uses = and(eq(budgetUses.subject, subject), gt(budgetUses.at, now - withinMs))
  return sql`exists (select 1 from ${budgetUses} where ${uses} limit 1 offset ${most - 1})`
}

const hasRoom = (share: Share, now: number): SQL => {
  const [{ limits, trickleMs }] = share
  const reached = (limit: Limit) => isReached(subjectOf(share), limit, now)
  const room = limits.map((limit) => not(reached(limit)))
  if (trickleMs === undefined) return and(...room)!
  return or(and(...room), not(reached({ most: 1, withinMs: trickleMs })))!
}

const insert = (share: Share, at: number) =>
  statement(builder.insert(budgetUses).values({ id: sql`null`, subject: subjectOf(share), at }))

/** Notes one use of each share, where all of them have room; else the last of these statements changes no row. */
export const spend = (shares: readonly [Share, ...Share[]], now: number): Statement[] => {
  const [first, ...others] = shares
  const row = sql`select null, ${subjectOf(first)}, ${now} where ${and(...shares.map((s) => hasRoom(s, now)))}`
  return [statement(builder.insert(budgetUses).select(row)), ...others.map((share) => ifChanged(insert(share, now)))]
}

/** Takes back one use that was noted at `at`. */
export const giveBack = (share: Share, at: number): Statement => {
  const same = and(eq(budgetUses.subject, subjectOf(share)), eq(budgetUses.at, at))
  const one = sql`(select max(${budgetUses.id}) from ${budgetUses} where ${same})`
  return statement(builder.delete(budgetUses).where(eq(budgetUses.id, one)))
}

/** Forgets uses that no budget looks back to. */
export const removeOldUses = (now: number): Statement =>
  statement(builder.delete(budgetUses).where(lt(budgetUses.at, now - longestMs)))

/** Asks whether a share has room at `now`, where that decides what happens before anything is written. */
export const createBudgetReader = (db: Database) => {
  const nthUse = db.orm
    .select({ at: budgetUses.at })
    .from(budgetUses)
    .where(and(eq(budgetUses.subject, sql.placeholder('subject')), gt(budgetUses.at, sql.placeholder('since'))))
    .limit(1)
    .offset(sql.placeholder('before'))
    .prepare()

  return async (share: Share, now: number): Promise<boolean> => {
    for (const { most, withinMs } of share[0].limits) {
      const use = await nthUse.get({ subject: subjectOf(share), since: now - withinMs, before: most - 1 })
      if (use) return false
    }
    return true
  }
}

/** Spends a proof that a person asks: a second time it changes nothing, by failing. */
export const spendProof = (proof: { id: string; expiresAt: number }): Statement =>
  statement(builder.insert(humanProofs).values(proof))

/** Forgets proofs that have ended by themselves. */
export const removeEndedProofs = (now: number): Statement =>
  statement(builder.delete(humanProofs).where(lt(humanProofs.expiresAt, now)))
