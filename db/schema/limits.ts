// What workspaces may use and have used.
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { WorkspaceId } from '../../src/permissions'
import { instant, workspaceId } from './columns'

/** What an operator has given a workspace. One without a row has the plan `default` and no credits. */
export const workspacePlans = sqliteTable('workspace_plans', {
  workspaceId: integer('workspace_id').$type<WorkspaceId>().primaryKey(),
  plan: text().notNull(),
  /** All that were ever given; what is spent stands in `quotas`. */
  credits: integer().notNull(),
})

/** How much of a resource is used; how much may be, the plan says. What has rows of its own (members, keys) is counted there. */
export const quotas = sqliteTable(
  'quotas',
  {
    workspaceId: workspaceId(),
    resource: text({ enum: ['storage_bytes', 'requests', 'credits'] }).notNull(),
    /** The month (UTC) as `2030-01` where it begins anew with each; else empty. */
    period: text().notNull(),
    used: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.resource, t.period] })],
)

/** Requests by day, project and caller. */
export const usage = sqliteTable(
  'usage',
  {
    workspaceId: workspaceId(),
    /** The day's first instant, in UTC. */
    day: instant('day').notNull(),
    /** Project and key line, so that one day's rows have an order. */
    id: text().notNull(),
    projectId: text('project_id'),
    /** The first key of its line; null for people. */
    keyId: text('key_id'),
    requests: integer().notNull(),
    /** Turned away by a rate limit or the quota of the month. */
    refused: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.day, t.id] }), index('usage_by_day').on(t.day)],
)
