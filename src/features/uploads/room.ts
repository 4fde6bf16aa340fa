// Room for a body that comes in one request: what is large is taken from the quota before it is staged, by a row that
// expires like any upload's, so that a crash gives it back.
import { newId } from '../../lib/id'
import type { Actor } from '../../permissions'
import type { Clock, Statement } from '../../ports'
import { guard, type Unaudited } from '../../write'
import type { QuotaService } from '../quotas/service'
import type { UploadStore } from './store'
import { uploadMs } from './turns'

type Deps = {
  clock: Clock
  unaudited: Unaudited
  store: UploadStore
  quotas: Pick<QuotaService, 'take' | 'give'>
}
/** What is to be stored, as far as it is known. */
type File = { projectId: string; name: string; declaredType: string }
export type Room = {
  /** Before that many further bytes are staged. @throws Failure `quota_exceeded` */
  grow(bytes: number): Promise<void>
  /** Statements that make what was taken the quota of a file of `size` bytes. */
  settle(size: number): Statement[]
  /** Gives back what is not settled. */
  release(): Promise<void>
}

// What is this small is taken when it is a file: a request more or less does not fill a disk.
const freeBytes = 1 << 20
const why = 'room for a body under way is no change'

export const createRooms =
  ({ clock, unaudited, store, quotas }: Deps) =>
  (actor: Actor, file: File): Room => {
    const { id: workspaceId } = actor.workspace
    const key = { workspaceId, id: newId('upl') }
    let [came, taken] = [0, 0]
    const end = (why?: string) => [store.delete(key), guard('conflict', why)]

    const take = async (bytes: number): Promise<void> => {
      const now = clock.now()
      const row = { ...key, ...file, length: bytes, offset: 0, createdBy: actor.id, createdAt: now }
      const note =
        taken === 0
          ? [store.insert({ ...row, leaseUntil: 0, expiresAt: now + uploadMs })]
          : [store.grow(key, bytes), guard('conflict')]
      await unaudited(why, [...quotas.take(workspaceId, 'storage_bytes', bytes), ...note])
      taken += bytes
    }

    return {
      async grow(bytes) {
        came += bytes
        // In steps of a mebibyte, and of a sixteenth of what came: many small ones would wait for each other.
        if (came > Math.max(freeBytes, taken)) await take(Math.max(came - taken, freeBytes, came >> 4))
      },
      settle(size) {
        if (taken === 0) return quotas.take(workspaceId, 'storage_bytes', size)
        return [...end('It took longer than a day'), quotas.give(workspaceId, 'storage_bytes', taken - size)]
      },
      async release() {
        // Where it cannot be given back now, it expires.
        if (taken > 0)
          await unaudited(why, [...end(), quotas.give(workspaceId, 'storage_bytes', taken)]).catch(() => {})
      },
    }
  }
export type Rooms = ReturnType<typeof createRooms>
