// Usage: requests counted in memory, written each minute and at the end. No request waits for it.

import { monthOf } from '../../lib/month'
import { type After, type Page, paginate } from '../../lib/page'
import { endsWithMonth, type Plans } from '../../limits'
import type { Actor, Permission, WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import type { Unaudited } from '../../write'
import type { UsageOfDay, UsageQuery } from './model'
import { createMonths } from './months'
import { type UsageRow, usageStore } from './store'

const dayMs = 86_400_000
const keptMs = 400 * dayMs
const statementsAtOnce = 500

type Caller = Pick<Actor, 'type' | 'workspace' | 'project' | 'lineage'>
type Deps = {
  db: Database
  unaudited: Unaudited
  clock: Clock
  plans: Plans
  /** Those of a month, as written. */
  requestsIn: (workspaceId: WorkspaceId, month: string) => Promise<number>
  addRequests: (workspaceId: WorkspaceId, month: string, count: number) => Statement[]
}

const present = (row: UsageRow): UsageOfDay => ({
  day: new Date(row.day).toISOString().slice(0, 10),
  project_id: row.projectId,
  key_id: row.keyId,
  requests: row.requests,
  refused: row.refused,
})

export const usageService = ({ db, unaudited, clock, plans, requestsIn, addRequests }: Deps) => {
  const store = usageStore(db)
  const months = createMonths({ clock, plans, requestsIn })
  let notes = new Map<string, UsageRow>()
  // A caller is one object for as long as what is known of them is kept.
  let noteOf = new WeakMap<Caller, UsageRow>()

  const note = (caller: Caller): UsageRow => {
    const day = Math.floor(clock.now() / dayMs) * dayMs
    const known = noteOf.get(caller)
    if (known?.day === day) return known
    const { workspace, project, lineage } = caller
    const id = `${project?.id ?? ''}_${lineage ?? ''}`
    const key = `${day} ${workspace.id} ${id}`
    let row = notes.get(key)
    if (!row) {
      row = {
        workspaceId: workspace.id,
        day,
        id,
        projectId: project?.id ?? null,
        keyId: lineage,
        requests: 0,
        refused: 0,
      }
      notes.set(key, row)
    }
    noteOf.set(caller, row)
    return row
  }

  const write = async (rows: readonly UsageRow[]) => {
    const byMonth = new Map<string, Map<WorkspaceId, number>>()
    for (const { workspaceId, day, requests, refused } of rows) {
      const { name } = monthOf(day)
      const counts = byMonth.get(name) ?? new Map<WorkspaceId, number>()
      counts.set(workspaceId, (counts.get(workspaceId) ?? 0) + requests - refused)
      byMonth.set(name, counts)
    }
    await unaudited('usage is counted, not decided', [
      ...rows.flatMap(store.add),
      ...[...byMonth].flatMap(([name, counts]) => [...counts].flatMap(([id, count]) => addRequests(id, name, count))),
    ])
    for (const [name, counts] of byMonth) await months.written(name, counts)
  }

  return {
    learnMonth: months.learn,

    /** Counts a request; false where the quota of the month is used up, and that ends what is asked. */
    take(caller: Caller, need: Permission): boolean {
      const row = note(caller)
      row.requests++
      if (months.take(caller.workspace) || !endsWithMonth(need, caller.type)) return true
      row.refused++
      return false
    },

    /** Counts a request that a rate limit turned away. */
    refuse(caller: Caller): void {
      const row = note(caller)
      row.requests++
      row.refused++
    },

    /** Writes what is noted. What cannot be written is kept for the next time. */
    async flush(): Promise<void> {
      const rows = [...notes.values()]
      notes = new Map()
      noteOf = new WeakMap()
      try {
        while (rows.length > 0) {
          await write(rows.slice(0, statementsAtOnce))
          rows.splice(0, statementsAtOnce)
        }
      } catch (error) {
        for (const row of rows) {
          const key = `${row.day} ${row.workspaceId} ${row.id}`
          const since = notes.get(key)
          if (since) {
            since.requests += row.requests
            since.refused += row.refused
          } else notes.set(key, row)
        }
        throw error
      }
    },

    /** Forgets what is older than 400 days, in pieces. Stops between two of them when `signal` aborts. */
    async sweep(signal?: AbortSignal): Promise<void> {
      const before = clock.now() - keptMs
      for (let rows = await store.oldest(before); rows.length > 0; rows = await store.oldest(before)) {
        if (signal?.aborted) return
        const days = new Map(rows.map((row) => [`${row.workspaceId} ${row.day}`, row]))
        await unaudited(
          'usage is kept for a time',
          [...days.values()].map(({ workspaceId, day }) => store.forget(workspaceId, day)),
        )
      }
    },

    /** Requests by day, project and key, newest day first, in the projects the actor may enter. */
    async list(actor: Actor, query: UsageQuery): Promise<Page<UsageOfDay>> {
      const filter = {
        ...{ workspaceId: actor.workspace.id, projects: actor.projects, projectId: query.project_id ?? null },
        ...{ keyId: query.key_id ?? null, from: query.from ?? 0, to: query.to ?? Number.MAX_SAFE_INTEGER },
      }
      const read = (limit: number, after: After | null) => store.list(filter, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.day, id: row.id }))
      return { ...page, data: page.data.map(present) }
    },
  }
}
export type UsageService = ReturnType<typeof usageService>
