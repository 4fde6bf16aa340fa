// Running several: the nodes there are, and requests that may be sent again.
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant, workspaceId } from './columns'

/** One row for each process that keeps a copy. Each says again and again that it lives, and what it has applied. */
export const nodes = sqliteTable('nodes', {
  id: text().primaryKey(),
  /** How many times it has said so. */
  beat: integer().notNull(),
  /** The newest revocation it refuses by. */
  applied: integer().notNull(),
  /** By its own clock: for tidying up, nothing else. */
  at: instant('at').notNull(),
})

/** What a request with an Idempotency-Key has made; `workspace_id` 0 for what belongs to a person. */
export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    workspaceId: workspaceId(),
    actorId: text('actor_id').notNull(),
    route: text().notNull(),
    key: text().notNull(),
    /** Keyed hash of the body. */
    bodyHash: text('body_hash').notNull(),
    madeId: text('made_id').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.actorId, t.route, t.key] })],
)
