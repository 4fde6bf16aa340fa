// What defends sign-in: uses of budgets, devices that are known, proofs that were spent.
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { instant } from './columns'

/** One row for each use of a budget; it counts for as long as the budget looks back. */
export const budgetUses = sqliteTable(
  'budget_uses',
  {
    id: integer().primaryKey(),
    /** Which budget, and of what: `<budget>:<keyed hash>`. */
    subject: text().notNull(),
    at: instant('at').notNull(),
  },
  (t) => [index('budget_uses_by_subject').on(t.subject, t.at)],
)

/** A browser that somebody has signed in with: one row for each of its users. */
export const devices = sqliteTable(
  'devices',
  {
    id: text().primaryKey(),
    userId: text('user_id').notNull(),
    /** SHA-256 of the secret in the browser's cookie. */
    secretHash: text('secret_hash').notNull(),
    label: text().notNull(),
    createdAt: instant('created_at').notNull(),
    lastUsedAt: instant('last_used_at').notNull(),
  },
  (t) => [
    uniqueIndex('devices_by_secret').on(t.secretHash, t.userId),
    index('devices_by_user').on(t.userId, t.createdAt),
  ],
)

/** Proofs that a person asks, each good once; kept until they would have ended by themselves. */
export const humanProofs = sqliteTable('human_proofs', {
  id: text().primaryKey(),
  expiresAt: instant('expires_at').notNull(),
})
