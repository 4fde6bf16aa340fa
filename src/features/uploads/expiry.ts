// Uploads that nobody goes on with end after their time, and give back what they took.
import type { Clock } from '../../ports'
import { guard, type Unaudited, type Write } from '../../write'
import type { Shelf } from '../media/shelf'
import type { QuotaService } from '../quotas/service'
import type { UploadRow, UploadStore } from './store'

type Deps = {
  write: Write
  unaudited: Unaudited
  clock: Clock
  store: UploadStore
  quotas: Pick<QuotaService, 'give'>
  forget: Forget
}
type Forget = (upload: Pick<UploadRow, 'blob' | 'saved'>) => Promise<void>

const atOnce = 100

/** Builds what forgets the bytes of an upload that became no file, published or not. */
export const createForget =
  ({ forget }: Pick<Shelf, 'forget'>): Forget =>
  async ({ blob, saved }) => {
    if (blob !== null && saved !== null) await forget(blob, saved)
  }

/** Builds a bounded run that ends what expired. Gives how many. */
export const createUploadExpiry = ({ write, unaudited, clock, store, quotas, forget }: Deps) => {
  // The bytes first: killed in between, the row is found again.
  const end = async (row: UploadRow, now: number) => {
    const gone = [store.deleteExpired(row, now), guard('not_found')]
    if (row.mediaId !== null) return unaudited('what became of an upload is known by its file', gone)
    await forget(row)
    const { workspaceId, id, length } = row
    const event = { action: 'upload.expired', targets: [id], workspaceId }
    return write({ type: 'system', origin: null }, event, [...gone, quotas.give(workspaceId, 'storage_bytes', length)])
  }

  return async (signal: AbortSignal): Promise<number> => {
    const now = clock.now()
    for (let count = 0; ; ) {
      const rows = await store.expired(now, atOnce)
      for (const row of rows) {
        if (signal.aborted) return count
        await end(row, now)
        count++
      }
      if (rows.length < atOnce) return count
    }
  }
}
