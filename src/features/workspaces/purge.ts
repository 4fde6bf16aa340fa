// The end of deleted workspaces and projects: after two weeks every row that is theirs goes. The audit has its own time.
import type { Clock, Database } from '../../ports'
import type { Write } from '../../write'
import { purgeStore } from './store-purge'

const keptMs = 14 * 86_400_000

/** One bounded run: purges what was deleted long enough ago. Objects of its media are collected by the media sweep. */
export const createPurge = ({ db, write, clock }: { db: Database; write: Write; clock: Clock }) => {
  const store = purgeStore(db)
  const author = { type: 'system', origin: null } as const
  return async (signal?: AbortSignal): Promise<void> => {
    const now = clock.now()
    for (const { workspaceId, id } of await store.dueWorkspaces(now)) {
      if (signal?.aborted) return
      await write(author, { action: 'workspace.purged', targets: [id], workspaceId }, store.workspace(workspaceId, now))
    }
    for (const { workspaceId, id } of await store.dueProjects(now - keptMs)) {
      if (signal?.aborted) return
      await write(author, { action: 'project.purged', targets: [id], workspaceId }, store.project(workspaceId, id))
    }
  }
}
