// Files of projects; every primary key starts with workspace_id.
import { isNull } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { instant, workspaceId } from './columns'

export const media = sqliteTable(
  'media',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    projectId: text('project_id').notNull(),
    name: text().notNull(),
    size: integer().notNull(),
    /** What the sender said, and what the first bytes show; only the latter is ever served. */
    declaredType: text('declared_type').notNull(),
    type: text().notNull(),
    sha256: text().notNull(),
    /** Random key of the immutable object in the blob store. */
    blob: text().notNull(),
    /** Of the bytes, from 1. */
    version: integer().notNull().default(1),
    /** Of this version's sealed bytes, wrapped by the workspace's key; null where they are plain. */
    key: text(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    /** Who sent this version, and when; the first one came with the file. */
    changedBy: text('changed_by').notNull(),
    changedAt: instant('changed_at').notNull(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('media_by_id').on(t.id),
    uniqueIndex('media_by_blob').on(t.blob),
    index('media_by_age').on(t.workspaceId, t.projectId, t.createdAt, t.id),
    index('media_deleted').on(t.deletedAt),
  ],
)

/** What files were before they are what they are: each former version, whose bytes are kept. */
export const mediaVersions = sqliteTable(
  'media_versions',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    version: integer().notNull(),
    projectId: text('project_id').notNull(),
    size: integer().notNull(),
    declaredType: text('declared_type').notNull(),
    type: text().notNull(),
    sha256: text().notNull(),
    blob: text().notNull(),
    key: text(),
    changedBy: text('changed_by').notNull(),
    changedAt: instant('changed_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id, t.version] }), uniqueIndex('media_versions_by_blob').on(t.blob)],
)

/** Files opened to whoever has the ticket, for minutes, by the right of whoever made it. */
export const links = sqliteTable(
  'links',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    projectId: text('project_id').notNull(),
    mediaId: text('media_id').notNull(),
    version: integer().notNull(),
    /** HMAC-SHA-256 of the ticket's secret under the pepper `kid`. */
    ticketHash: text('ticket_hash').notNull(),
    kid: text().notNull(),
    /** A user, through that session, or a key. */
    createdBy: text('created_by').notNull(),
    sessionId: text('session_id'),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('links_by_id').on(t.id),
    index('links_by_media').on(t.workspaceId, t.mediaId),
    index('links_by_expiry').on(t.expiresAt),
  ],
)

/** Files on their way in. Their length is taken from the quota until the file has it, or the row goes. */
export const uploads = sqliteTable(
  'uploads',
  {
    workspaceId: workspaceId(),
    id: text().notNull(),
    projectId: text('project_id').notNull(),
    name: text().notNull(),
    declaredType: text('declared_type').notNull(),
    /** Upload-Metadata as it was sent; null for a body that comes in one request. */
    metadata: text(),
    length: integer().notNull(),
    /** How many bytes are durable, in which object, and what its store goes on from. */
    offset: integer().notNull(),
    blob: text(),
    saved: text(),
    /** Who writes to it, and until when nobody else may. */
    lease: text(),
    leaseUntil: instant('lease_until').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    /** The file whose bytes it replaces; null for one of its own. */
    replaces: text(),
    /** The file it became. */
    mediaId: text('media_id'),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    index('uploads_expired').on(t.expiresAt),
    index('uploads_by_maker').on(t.workspaceId, t.createdBy).where(isNull(t.mediaId)),
  ],
)
