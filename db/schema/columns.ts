// Columns that stand in many tables.
import { integer } from 'drizzle-orm/sqlite-core'
import type { WorkspaceId } from '../../src/permissions'

/** The tenant, first in the primary key of everything that is its own. */
export const workspaceId = () => integer('workspace_id').$type<WorkspaceId>().notNull()

/** Milliseconds since 1970 UTC. */
export const instant = (name: string) => integer(name)
