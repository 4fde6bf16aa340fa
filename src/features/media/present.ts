// A file as it is described to callers.
import { rfc3339 } from '../../lib/time'
import type { Media, MediaVersion } from './model'
import type { MediaRow } from './store'
import type { VersionRow } from './store-versions'

export const present = (row: MediaRow): Media => ({
  id: row.id,
  project_id: row.projectId,
  name: row.name,
  size: row.size,
  type: row.type,
  declared_type: row.declaredType,
  sha256: row.sha256,
  url: `/media/${row.id}`,
  created_by: row.createdBy,
  created_at: rfc3339(row.createdAt),
  version: row.version,
  changed_by: row.changedBy,
  changed_at: rfc3339(row.changedAt),
})

export const presentVersion = (row: VersionRow | MediaRow): MediaVersion => ({
  version: row.version,
  size: row.size,
  type: row.type,
  declared_type: row.declaredType,
  sha256: row.sha256,
  url: `/media/${row.id}?version=${row.version}`,
  created_by: row.changedBy,
  created_at: rfc3339(row.changedAt),
})
