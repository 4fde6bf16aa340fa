// How an account comes by another address, and how the former one takes that back.

import { Failure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import { newId } from '../../lib/id'
import type { Person } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { revoke } from '../../revocation'
import { type Event, guard } from '../../write'
import type { Addressed } from '../mail/service'
import type { User } from './model'
import { type UserRow, userStore } from './store'

type Deps = {
  db: Database
  clock: Clock
  addresses: Addresses
  /** Whether the instance takes people of that address at all. */
  mayHold: (exact: string) => boolean
  enqueueMail: (template: 'email-changed', about: string, locale: string) => Statement
  endSessions: (userId: string) => Statement[]
}

type Part = { statements: Statement[]; events: Event[] }

/** How long the former address may take a change back. */
const undoMs = 72 * 3_600_000

export const addressChanges = (deps: Deps, present: (row: UserRow) => User) => {
  const { db, clock, addresses } = deps
  const store = userStore(db)

  return {
    /** Whether nobody has the address, nor can take it back. */
    async mayTake(exact: string): Promise<boolean> {
      const hash = addresses.hash(exact)
      return deps.mayHold(exact) && !(await store.byAddress(hash)) && !(await store.returnable(hash, clock.now()))
    },

    /** The person has proved `exact` as well as their own address: from now on it is theirs. The former one is told. */
    async moveTo(person: Person, exact: string): Promise<Part> {
      const [now, row, hash] = [clock.now(), await store.byId(person.id), addresses.hash(exact)]
      if (!row) throw new Failure('unauthenticated')
      const taken = new Failure('conflict', 'That address belongs to an account')
      const id = newId('adr')
      const before = {
        ...{ id, userId: row.id, addressHash: row.addressHash, createdAt: now, expiresAt: now + undoMs, endedAt: null },
        addressSealed: addresses.seal(addresses.open(row.addressSealed, row.id), id),
      }
      const to = { addressHash: hash, addressSealed: addresses.seal(exact, row.id) }
      return {
        statements: [
          store.isFree(hash, now, row.id),
          { ...store.move(row.id, row.addressHash, to), orElse: taken },
          guard('conflict'),
          store.insertFormer(before),
          // What hangs on the address is judged anew.
          revoke(now, `user:${row.id}`),
          deps.enqueueMail('email-changed', id, row.locale),
        ],
        events: [{ action: 'user.address_changed', targets: [row.id], userId: row.id }],
      }
    },

    /**
     * A proved address that an account left within 72 hours gets it back, and every session of the account ends.
     * Undefined for any other address.
     */
    async takeBack(exact: string): Promise<(Part & { user: User }) | undefined> {
      const now = clock.now()
      const former = await store.returnable(addresses.hash(exact), now)
      const row = former && (await store.byId(former.userId))
      if (!row) return undefined
      const own = { addressHash: former.addressHash, addressSealed: addresses.seal(exact, row.id) }
      return {
        user: present({ ...row, ...own }),
        statements: [
          { ...store.move(row.id, row.addressHash, own), orElse: new Failure('conflict') },
          guard('conflict'),
          store.endFormer(row.id, former.createdAt, now),
          ...deps.endSessions(row.id),
        ],
        events: [{ action: 'user.address_restored', targets: [row.id], userId: row.id }],
      }
    },

    /** What the former address is told of a change; null once it can no longer be taken back. */
    async mailOfChange(id: string): Promise<Addressed | null> {
      const row = await store.formerById(id)
      if (!row || row.endedAt !== null || row.expiresAt <= clock.now()) return null
      return { to: addresses.open(row.addressSealed, row.id), link: null, at: row.createdAt, until: row.expiresAt }
    },
  }
}
