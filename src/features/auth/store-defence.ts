// The only SQL about budgets and spent proofs: rows, so that they outlive a restart and several nodes share them.
import { and, eq, gt, lt, not, or, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { budgetUses, humanProofs } from '../../../db/schema'
import type { Database, Statement } from '../../ports'
import { builder, compile, inserter, statement } from '../../write'
import type { Budget, Limit, Share } from './budgets'

const longestMs = 86_400_000

const subjectOf = ([{ name }, of]: Share) => `${name}:${of}`
const now = sql.placeholder('now')

/** Whether the newest `most` uses all lie within the time the limit looks back. */
const isReached = (subject: Placeholder, { most, withinMs }: Limit): SQL => {
  const uses = and(eq(budgetUses.subject, subject), gt(budgetUses.at, sql`${now} - ${withinMs}`))
  return sql`exists (select 1 from ${budgetUses} where ${uses} limit 1 offset ${most - 1})`
}

const hasRoom = (subject: Placeholder, { limits, trickleMs }: Budget): SQL => {
  const room = limits.map((limit) => not(isReached(subject, limit)))
  if (trickleMs === undefined) return and(...room)!
  return or(and(...room), not(isReached(subject, { most: 1, withinMs: trickleMs })))!
}

/** Notes a use where there is room, `after` another one only where that was noted; made once for each budget. */
const compileSpending = (budget: Budget, after: boolean) => {
  const subject = sql.placeholder('subject')
  const room = and(after ? sql`changes() > 0` : undefined, hasRoom(subject, budget))
  return compile<{ subject: string; now: number }>(
    builder.insert(budgetUses).select(sql`select null, ${subject}, ${now} where ${room}`),
  )
}
const spendings = new Map<string, ReturnType<typeof compileSpending>>()

/**
 * Notes one use of each share in turn, up to the first that has no room: then the last of these statements changes no
 * row. What a share has left shows in those after it, never in those before.
 */
export const spend = (shares: readonly [Share, ...Share[]], at: number): Statement[] =>
  shares.map((share, i) => {
    const key = `${share[0].name}:${i > 0}`
    const spending = spendings.get(key) ?? compileSpending(share[0], i > 0)
    spendings.set(key, spending)
    return spending({ subject: subjectOf(share), now: at })
  })

const same = and(eq(budgetUses.subject, sql.placeholder('subject')), eq(budgetUses.at, sql.placeholder('at')))
const removeOne = compile<{ subject: string; at: number }>(
  builder
    .delete(budgetUses)
    .where(eq(budgetUses.id, sql`(select max(${budgetUses.id}) from ${budgetUses} where ${same})`)),
)

/** Takes back one use that was noted at `at`. */
export const giveBack = (share: Share, at: number): Statement => removeOne({ subject: subjectOf(share), at })

/** Forgets uses that no budget looks back to. */
export const removeOldUses = (at: number): Statement =>
  statement(builder.delete(budgetUses).where(lt(budgetUses.at, at - longestMs)))

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
export const spendProof: (proof: { id: string; expiresAt: number }) => Statement = inserter(humanProofs)

/** Forgets proofs that have ended by themselves. */
export const removeEndedProofs = (now: number): Statement =>
  statement(builder.delete(humanProofs).where(lt(humanProofs.expiresAt, now)))
