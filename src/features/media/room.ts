// Bytes of uploads under way. They count against a workspace's quota before there is a row for them.
import type { WorkspaceId } from '../../permissions'
import type { QuotaService } from '../quotas/service'

/** What one upload takes up: `announce` all of it or `grow` as it comes, and `release` once its row counts, or it has failed. */
export type Room = { announce(bytes: number): Promise<void>; grow(bytes: number): Promise<void>; release(): void }

const askBytes = 1 << 20

/** Of this node: uploads that several nodes take at once meet where each is finished. */
export const createRooms = ({ assertRoom }: Pick<QuotaService, 'assertRoom'>) => {
  const underWay = new Map<WorkspaceId, number>()
  const add = (workspaceId: WorkspaceId, bytes: number): number => {
    const sum = (underWay.get(workspaceId) ?? 0) + bytes
    if (sum === 0) underWay.delete(workspaceId)
    else underWay.set(workspaceId, sum)
    return sum
  }

  return (workspaceId: WorkspaceId): Room => {
    let [taken, unasked] = [0, 0]
    const take = (bytes: number) => {
      taken += bytes
      return add(workspaceId, bytes)
    }
    return {
      /** @throws Failure `quota_exceeded` */
      announce: (bytes) => assertRoom(workspaceId, 'storage_bytes', take(bytes)),
      /** Asks after each further mebibyte. @throws Failure `quota_exceeded` */
      async grow(bytes) {
        const sum = take(bytes)
        unasked += bytes
        if (unasked < askBytes) return
        unasked = 0
        await assertRoom(workspaceId, 'storage_bytes', sum)
      },
      release() {
        add(workspaceId, -taken)
        taken = 0
      },
    }
  }
}
