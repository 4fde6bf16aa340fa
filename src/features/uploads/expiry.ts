// Uploads end after their time, or with the right of whoever began them, and give back what they took.
import { isFailure } from '../../errors'
import type { Clock } from '../../ports'
import { guard, system, type Unaudited, type Write } from '../../write'
import type { Shelf } from '../media/shelf'
import type { QuotaService } from '../quotas/service'
import type { UploadRow, UploadStore } from './store'
import type { Turns } from './turns'

type Deps = {
  write: Write
  unaudited: Unaudited
  clock: Clock
  store: UploadStore
  quotas: Pick<QuotaService, 'give'>
  shelf: Pick<Shelf, 'forget'>
  isWriting: Turns['isWriting']
}

const atOnce = 1000

/** Builds a bounded run that ends what expired, or was begun by a key revoked or a member gone since. Gives how many. */
export const createUploadExpiry = ({ write, unaudited, clock, store, quotas, shelf, isWriting }: Deps) => {
  const end = async (row: UploadRow, now: number) => {
    const gone = [store.deleteOver(row, now), guard('not_found')]
    if (row.mediaId !== null) return unaudited('what became of an upload is known by its file', gone)
    const { workspaceId, id, length } = row
    const early = row.expiresAt > now && { change: { reason: 'maker_gone' } }
    const event = { action: 'upload.expired', targets: [id], workspaceId, ...early }
    await write(system, event, [...gone, quotas.give(workspaceId, 'storage_bytes', length)])
    // Only now, when nobody goes on with them. Killed in between, they are collected some day.
    await shelf.forget(row)
  }

  /** Gives whether it ended: whoever began in time goes on, and another node may have been first. */
  const tryEnd = async (row: UploadRow, now: number): Promise<boolean> => {
    if (isWriting(row.id)) return false
    try {
      await end(row, now)
      return true
    } catch (error) {
      if (isFailure(error, 'not_found')) return false
      throw error
    }
  }

  const endAll = async (due: UploadStore['expired'], signal: AbortSignal): Promise<number> => {
    const now = clock.now()
    for (let count = 0; ; ) {
      const [rows, before] = [await due(now, atOnce), count]
      for (const row of rows) {
        if (signal.aborted) return count
        if (await tryEnd(row, now)) count++
      }
      if (rows.length < atOnce || count === before) return count
    }
  }

  return async (signal: AbortSignal): Promise<number> =>
    (await endAll(store.expired, signal)) + (await endAll(store.forsaken, signal))
}
