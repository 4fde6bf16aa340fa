// The requests of this month, of workspaces that have a quota of them; all in memory where a request is counted.
import { monthOf } from '../../lib/month'
import { type Plans, planOf } from '../../limits'
import type { Actor, WorkspaceId } from '../../permissions'
import type { Clock } from '../../ports'

type Deps = {
  clock: Clock
  plans: Plans
  requestsIn: (workspaceId: WorkspaceId, month: string) => Promise<number>
}

/** Those that all nodes have written, and those noted here since. */
export const createMonths = ({ clock, plans, requestsIn }: Deps) => {
  type Month = { written: number; noted: number }
  let months = new Map<WorkspaceId, Month>()
  let month = monthOf(0)

  const read = async (workspaceId: WorkspaceId, of: Month) => {
    of.written = await requestsIn(workspaceId, month.name).catch(() => of.written)
  }
  const find = (id: WorkspaceId): Month | undefined => {
    if (clock.now() >= month.endsAt) {
      month = monthOf(clock.now())
      months = new Map()
    }
    return months.get(id)
  }
  const begin = (id: WorkspaceId, written: number): Month => {
    const known = { written, noted: 0 }
    months.set(id, known)
    return known
  }
  const mostOf = ({ plan }: Actor['workspace']) => planOf(plans, plan).quotas.requests

  return {
    /** Learns what the month has used, before anybody is let in: so that no new process begins at nothing. */
    async learn(workspace: Actor['workspace']): Promise<void> {
      const { id } = workspace
      if (mostOf(workspace) === undefined || find(id)) return
      const { name } = month
      const written = await requestsIn(id, name)
      if (!find(id) && name === month.name) begin(id, written)
    },
    /** Notes a request, unless the month's quota is used up. */
    take(workspace: Actor['workspace']): boolean {
      const most = mostOf(workspace)
      if (most === undefined) return true
      let known = find(workspace.id)
      if (!known) {
        // A month that has just begun: other nodes may have written some of it.
        known = begin(workspace.id, 0)
        void read(workspace.id, known)
      }
      if (known.written + known.noted >= most) return false
      known.noted++
      return true
    },
    /** What was noted is being written: reads anew what all nodes have written. */
    async written(name: string, counts: ReadonlyMap<WorkspaceId, number>): Promise<void> {
      for (const [id, count] of counts) {
        const known = name === month.name ? months.get(id) : undefined
        if (!known) continue
        known.noted = Math.max(0, known.noted - count)
        known.written += count
        await read(id, known)
      }
    },
  }
}
