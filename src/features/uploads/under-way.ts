// Bodies on their way in on this node: so many at once for each caller, and for each workspace. Where the store is a bucket,
// each holds a part of its file in memory, and a slow one holds it for long.
import { Failure } from '../../errors'
import type { Actor } from '../../permissions'

export const mostUnderWay = { caller: 64, workspace: 256 }
const retryAfterSeconds = 5

/** Built for `run(actor, work)`: holds a place while `work` runs. @throws Failure `rate_limited`; what `work` throws */
export const createUnderWay = (most = mostUnderWay) => {
  const counts = new Map<string, number>()
  const countOf = (owner: string) => counts.get(owner) ?? 0
  const leave = (owner: string) => {
    const rest = countOf(owner) - 1
    if (rest > 0) counts.set(owner, rest)
    else counts.delete(owner)
  }

  return async <T>({ id, lineage, workspace }: Actor, work: () => Promise<T>): Promise<T> => {
    const [caller, tenant] = [lineage ?? id, String(workspace.id)]
    if (countOf(caller) >= most.caller || countOf(tenant) >= most.workspace)
      throw new Failure('rate_limited', 'Too many uploads at once', {
        headers: { 'retry-after': String(retryAfterSeconds) },
      })
    for (const owner of [caller, tenant]) counts.set(owner, countOf(owner) + 1)
    try {
      return await work()
    } finally {
      for (const owner of [caller, tenant]) leave(owner)
    }
  }
}
export type UnderWay = ReturnType<typeof createUnderWay>
