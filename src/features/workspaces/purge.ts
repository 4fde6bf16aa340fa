// The end of deleted workspaces and projects: after two weeks every row that is theirs goes. The audit has its own time.
import { eachDue } from '../../lib/each-due'
import type { Clock, Database } from '../../ports'
import { system, type Write } from '../../write'
import { purgeStore } from './store-purge'

const keptMs = 14 * 86_400_000

/**
 * Purges what was deleted long enough ago, one after the other; stops between two when `signal` aborts. Objects of its media
 * are collected by the media sweep.
 */
export const createPurge = ({ db, write, clock }: { db: Database; write: Write; clock: Clock }) => {
  const store = purgeStore(db)
  return async (signal?: AbortSignal): Promise<void> => {
    const now = clock.now()
    await eachDue(
      () => store.dueWorkspaces(now),
      ({ workspaceId, id }) =>
        write(system, { action: 'workspace.purged', targets: [id], workspaceId }, store.workspace(workspaceId, now)),
      signal,
    )
    await eachDue(
      () => store.dueProjects(now - keptMs),
      ({ workspaceId, id }) =>
        write(system, { action: 'project.purged', targets: [id], workspaceId }, store.project(workspaceId, id)),
      signal,
    )
  }
}
