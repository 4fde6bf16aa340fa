// Who did what to what; every primary key starts with workspace_id.
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { instant, workspaceId } from './columns'

/** Who did what to what. `workspace_id` 0 stands for no workspace: then the chain is the user's or the instance's. */
export const auditEvents = sqliteTable(
  'audit_events',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    /** `workspace:<id>`, `user:<id>` or `instance`. */
    chain: text().notNull(),
    action: text().notNull(),
    actorType: text('actor_type').notNull(),
    actorId: text('actor_id'),
    targets: text({ mode: 'json' }).$type<string[]>().notNull(),
    outcome: text({ enum: ['done', 'denied'] }).notNull(),
    requestId: text('request_id'),
    client: text(),
    change: text({ mode: 'json' }).$type<Record<string, unknown>>(),
    at: instant('at').notNull(),
    /** Given by the sealer: place in its chain from 1, and SHA-256 over the row and the hash before it. */
    position: integer(),
    hash: text(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('audit_events_by_position').on(t.chain, t.position),
    index('audit_events_by_time').on(t.chain, t.at, t.id, t.workspaceId),
  ],
)

/** How far each chain is sealed, signed: a chain that was cut shorter no longer reaches its head. One row counts the chains. */
export const auditHeads = sqliteTable('audit_heads', {
  chain: text().primaryKey(),
  position: integer().notNull(),
  hash: text().notNull(),
  at: instant('at').notNull(),
  kid: text().notNull(),
  /** Ed25519 over chain, position, hash and instant, base64url. */
  signature: text().notNull(),
})

/** How far each chain was pruned, signed: the rows up to here are gone with our word for it. */
export const auditCheckpoints = sqliteTable('audit_checkpoints', {
  chain: text().primaryKey(),
  position: integer().notNull(),
  hash: text().notNull(),
  at: instant('at').notNull(),
  kid: text().notNull(),
  signature: text().notNull(),
})
