// Files of projects; every primary key starts with workspace_id.
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
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull(),
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
