// Facts of the instance itself: its keys, leases, revocations.
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './columns'

/** Facts of this instance: `instance_id`, `generation`. */
export const meta = sqliteTable('meta', { name: text().primaryKey(), value: text().notNull() })

/** The program's own keys, each random and wrapped by the master key; several of one purpose make a ring. */
export const programKeys = sqliteTable('program_keys', {
  kid: text().primaryKey(),
  purpose: text().notNull(),
  wrapped: text().notNull(),
  createdAt: instant('created_at').notNull(),
})

/** Always empty: an insert into it fails its batch (CHECK), which is how a statement says "the claim took no row". */
export const guards = sqliteTable('guards', { failed: integer().notNull() })

/** Who may run which background work, and until when. */
export const leases = sqliteTable('leases', {
  name: text().primaryKey(),
  holder: text().notNull(),
  until: instant('until').notNull(),
})

/** What has been taken away, in order; the overlay in memory follows it. `subject` is `<kind>:<id>`. */
export const revocations = sqliteTable('revocations', {
  seq: integer().primaryKey({ autoIncrement: true }),
  subject: text().notNull(),
  createdAt: instant('created_at').notNull(),
})
