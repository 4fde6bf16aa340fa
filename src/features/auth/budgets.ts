// What asking and guessing may use up, as rows that outlive a restart: the only SQL about budgets.
import { and, eq, gt, lt, not, or, type SQL, sql } from 'drizzle-orm'
import { budgetUses } from '../../../db/schema'
import type { Database, Statement } from '../../ports'
import { builder, ifChanged, statement } from '../../write'

/** At most `most` uses within any `withinMs`, wherever that begins. */
export type Limit = { most: number; withinMs: number }
export type Budget = {
  name: string
  limits: readonly Limit[]
  /** Once it is spent there is still one use in each of these. */
  trickleMs?: number
}
/** A budget, and of whom: ids and keyed hashes, never an address. */
export type Share = readonly [budget: Budget, of: string]

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]

export const budgets = {
  /** Mails to a mailbox, asked for from unknown devices; from each known device. */
  mailsToMailbox: {
    name: 'mails',
    limits: [
      { most: 5, withinMs: hour },
      { most: 10, withinMs: day },
    ],
    trickleMs: 30 * minute,
  },
  mailsFromClient: { name: 'mails-from', limits: [{ most: 20, withinMs: hour }] },
  /** Codes tried at a mailbox from unknown devices; from each known device. A right one is given back. */
  guesses: { name: 'guesses', limits: [{ most: 20, withinMs: day }] },
  /** Wrong codes over the whole instance. */
  failures: {
    name: 'failures',
    limits: [
      { most: 50, withinMs: minute },
      { most: 2000, withinMs: day },
    ],
  },
  alarms: { name: 'alarms', limits: [{ most: 1, withinMs: hour }] },
} as const satisfies Record<string, Budget>

const longestMs = day

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
