// Workspaces and what is in them; every primary key starts with workspace_id.
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { WorkspaceId } from '../../src/permissions'
import { instant, workspaceId } from './columns'

/** The directory of tenants, itself global: public id to internal number. */
export const workspaces = sqliteTable('workspaces', {
  /** Random, so that it is known before the row is, on any node. */
  workspaceId: integer('workspace_id').$type<WorkspaceId>().primaryKey(),
  id: text().notNull().unique(),
  name: text().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: instant('created_at').notNull(),
  /** How long ago a member's sign-in may be for entering it; null asks for no more than a session. */
  maxAuthAgeMs: integer('max_auth_age_ms'),
  /** Being deleted: nobody enters, and from this instant on it is purged. */
  deletesAt: instant('deletes_at'),
})

export const projects = sqliteTable(
  'projects',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    slug: text().notNull(),
    name: text().notNull(),
    restricted: integer({ mode: 'boolean' }).notNull().default(false),
    isDefault: integer('is_default', { mode: 'boolean' }).notNull().default(false),
    createdAt: instant('created_at').notNull(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('projects_by_slug').on(t.workspaceId, t.slug),
    index('projects_by_age').on(t.workspaceId, t.createdAt),
  ],
)

export const members = sqliteTable(
  'members',
  {
    workspaceId: workspaceId(),
    userId: text('user_id').notNull(),
    role: text({ enum: ['viewer', 'member', 'admin'] }).notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.userId] }), index('members_by_user').on(t.userId)],
)

/** Who may enter a restricted project, and with which role there. */
export const projectMembers = sqliteTable(
  'project_members',
  {
    workspaceId: workspaceId(),
    projectId: text('project_id').notNull(),
    userId: text('user_id').notNull(),
    role: text({ enum: ['viewer', 'member', 'admin'] }).notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.projectId, t.userId] }),
    index('project_members_by_user').on(t.workspaceId, t.userId),
  ],
)

export const apiKeys = sqliteTable(
  'api_keys',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    /** HMAC-SHA-256 of the token under the pepper `kid`. */
    tokenHash: text('token_hash').notNull(),
    kid: text().notNull(),
    hint: text().notNull(),
    name: text().notNull(),
    level: text({ enum: ['read', 'write', 'delete', 'admin'] }).notNull(),
    environment: text({ enum: ['live', 'test', 'dev'] }).notNull(),
    /** Ids of the projects it may enter; null means all. */
    projects: text({ mode: 'json' }).$type<string[]>(),
    /** Networks (CIDR) it may be used from; null means any. */
    ipAllow: text('ip_allow', { mode: 'json' }).$type<string[]>(),
    /** The first key of the line that rotation made: what limits and usage follow. */
    lineage: text().notNull(),
    rotatedAt: instant('rotated_at'),
    /** When its keepers were told that nobody uses it. */
    warnedAt: instant('warned_at'),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    lastUsedAt: instant('last_used_at'),
    expiresAt: instant('expires_at'),
    /** Since a backup was restored, until an operator confirms that it had not been revoked meanwhile. */
    suspendedAt: instant('suspended_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('api_keys_by_token').on(t.tokenHash),
    index('api_keys_by_age').on(t.workspaceId, t.createdAt),
  ],
)

/** The workspace's own keys, one for each purpose, random and wrapped by the master key. Without it what it wrapped is gone. */
export const workspaceKeys = sqliteTable(
  'workspace_keys',
  {
    workspaceId: workspaceId(),
    purpose: text({ enum: ['media'] }).notNull(),
    kid: text().notNull(),
    wrapped: text().notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.purpose] })],
)
