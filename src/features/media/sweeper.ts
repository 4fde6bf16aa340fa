// What nobody needs any more: uploads that never ended, files long deleted, objects that no file has.
import type { Blobs, Clock, Database } from '../../ports'
import { guard, system, type Write } from '../../write'
import type { InstanceOf, Owner } from './owner'
import { mediaStore } from './store'
import { versionStore } from './store-versions'

type Deps = {
  db: Database
  write: Write
  clock: Clock
  blobs: Blobs
  owner: Pick<Owner, 'demand'>
  instanceOf: InstanceOf
}
export type Swept = { staged: number; purged: number; orphans: number }

const dayMs = 86_400_000
const purgeAfterMs = 30 * dayMs
const purgeAtOnce = 100
const askAtOnce = 500

export const createMediaSweeper = ({ db, write, clock, blobs, owner, instanceOf }: Deps) => {
  const [store, versions] = [mediaStore(db), versionStore(db)]

  // The object first: killed in between, the row is found again.
  const purge = async (before: number, signal: AbortSignal): Promise<number> => {
    let count = 0
    for (;;) {
      const rows = await store.purgeable(before, purgeAtOnce)
      for (const { workspaceId, id, blob } of rows) {
        if (signal.aborted) return count
        for (const object of [blob, ...(await versions.blobsOf(workspaceId, id))]) await blobs.remove(object)
        await write(system, { action: 'media.purged', targets: [id], workspaceId }, [
          versions.purge(workspaceId, id),
          store.purge(workspaceId, id, before),
          guard('not_found'),
        ])
        count++
      }
      if (rows.length < purgeAtOnce) return count
    }
  }

  const removeUnknown = async (keys: readonly string[]): Promise<number> => {
    const known = new Set([...(await store.knownBlobs(keys)), ...(await versions.knownBlobs(keys))])
    const orphans = keys.filter((key) => !known.has(key))
    for (const key of orphans) await blobs.remove(key)
    return orphans.length
  }

  const collect = async (before: number, signal: AbortSignal): Promise<number> => {
    let count = 0
    let keys: string[] = []
    for await (const key of blobs.list(before)) {
      if (signal.aborted) return count
      keys.push(key)
      if (keys.length < askAtOnce) continue
      count += await removeUnknown(keys)
      keys = []
    }
    return count + (await removeUnknown(keys))
  }

  // What came after a backup has no row once that is restored, and is needed by a newer one that may be restored instead.
  const isNewlyRestored = async (now: number) => (await instanceOf()).generation > now - purgeAfterMs

  /**
   * Says how many of each it removed. What is younger than a day may still be under way.
   * @throws Error, as a sentence for the operator, where the media is another instance's; then nothing is removed.
   */
  return async (signal: AbortSignal): Promise<Swept> => {
    const now = clock.now()
    await owner.demand()
    return {
      staged: await blobs.discardStaged(now - dayMs, signal),
      purged: await purge(now - purgeAfterMs, signal),
      orphans: (await isNewlyRestored(now)) ? 0 : await collect(now - dayMs, signal),
    }
  }
}
