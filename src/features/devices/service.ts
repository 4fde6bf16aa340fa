// Known devices: browsers that somebody has signed in with. A stranger's guesses use up nothing of theirs.
import { equalSecret, randomSecret, sha256 } from '../../lib/crypto'
import { newId } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Person } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { guard, type Write } from '../../write'
import type { Device } from './model'
import { deviceStore } from './store'

type Deps = { db: Database; write: Write; clock: Clock }

/** A person's device at sign-in: its cookie, whether it is new to them, and what remembers it. */
export type RememberedDevice = { id: string; secret: string; isNew: boolean; statements: Statement[] }

const mostPerUser = 20

export const deviceService = ({ db, write, clock }: Deps) => {
  const store = deviceStore(db)

  return {
    /** Id of the device that holds `secret`, where it is known for that user. */
    async find(secret: string, userId: string): Promise<string | undefined> {
      return (await store.bySecret(sha256(secret))).find((row) => row.userId === userId)?.id
    },

    /**
     * The device a person signs in with, to be remembered in the same batch. A browser keeps its secret for all who use
     * it; one that we did not give out is never taken over.
     */
    async remember(userId: string, held: string | undefined, label: string): Promise<RememberedDevice> {
      const now = clock.now()
      const rows = held === undefined ? [] : await store.bySecret(sha256(held))
      const secret = held !== undefined && rows.length > 0 ? held : randomSecret()
      const known = rows.find((row) => row.userId === userId)
      if (known) return { id: known.id, secret, isNew: false, statements: [store.used(known.id, label, now)] }
      const row = { id: newId('dev'), userId, secretHash: sha256(secret), label, createdAt: now, lastUsedAt: now }
      return { id: row.id, secret, isNew: true, statements: [store.insert(row), store.keepNewest(userId, mostPerUser)] }
    },

    /** The person's devices, newest first. `held`: the secret of the browser that asks. */
    async list(person: Person, held: string | undefined, query: PageQuery): Promise<Page<Device>> {
      const read = (limit: number, after: After | null) => store.list(person.id, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.id }))
      const data = page.data.map((row) => ({
        id: row.id,
        current: held !== undefined && equalSecret(row.secretHash, sha256(held)),
        label: row.label,
        created_at: rfc3339(row.createdAt),
        last_used_at: rfc3339(row.lastUsedAt),
      }))
      return { ...page, data }
    },

    /** Trusts a device no more; its sessions go on. @throws `not_found` for another's or none. */
    async forget(person: Person, id: string): Promise<void> {
      await write(person, { action: 'device.forgotten', targets: [id] }, [
        store.remove(person.id, id),
        guard('not_found'),
      ])
    },

    /** For the batch that ends one session from another: its device is trusted no more. */
    forgetOfSession: (userId: string, sessionId: string): Statement => store.removeOfSession(userId, sessionId),
    /** For the batch that ends all sessions, but the one named, if any. */
    forgetAll: (userId: string, exceptOfSession: string | null): Statement => store.removeAll(userId, exceptOfSession),
  }
}
export type DeviceService = ReturnType<typeof deviceService>
