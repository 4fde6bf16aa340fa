// Sessions: opening, proving, listing and ending them.
import { Failure } from '../../errors'
import { equalSecret, randomSecret, sha256 } from '../../lib/crypto'
import { newId } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import { createUseNotes } from '../../lib/use-notes'
import type { Person } from '../../permissions'
import type { Clock, Database, Statement, Tokens } from '../../ports'
import type { Fence, NewReceipt, Receipt } from '../../receipt'
import { type Held, revoke } from '../../revocation'
import { type Event, guard, type Unaudited, type Write } from '../../write'
import type { DeviceService } from '../devices/service'
import type { Session } from './model'
import { type SessionRow, sessionStore } from './store'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  tokens: Tokens
  devices: Pick<DeviceService, 'forgetOfSession' | 'forgetAll'>
  newReceipt: NewReceipt
  /** How long an unused session lives, and any session at most. */
  idleMs: number
  absoluteMs: number
}

/** How many sessions a person may have at once: the oldest goes when there is one more. */
const maxSessions = 20

export type NewSession = {
  userId: string
  method: 'code' | 'link'
  label: string
  place: string | null
  deviceId: string | null
}
export type OpenedSession = { token: string; session: Session; maxAgeSeconds: number; statements: Statement[] }

export const sessionService = (deps: Deps) => {
  const { db, write, unaudited, clock, tokens, devices, newReceipt, idleMs, absoluteMs } = deps
  const store = sessionStore(db)
  const notes = createUseNotes(clock)

  const present = (row: SessionRow, currentId: string): Session => ({
    id: row.id,
    current: row.id === currentId,
    label: row.label,
    method: row.method,
    place: row.place,
    created_at: rfc3339(row.createdAt),
    last_seen_at: rfc3339(row.lastSeenAt),
    expires_at: rfc3339(row.expiresAt),
  })

  const proofOf = (row: SessionRow): Held<Omit<Person, 'origin'>> | null =>
    row.revokedAt !== null
      ? null
      : {
          value: { type: 'user', id: row.userId, sessionId: row.id, authAt: row.authAt },
          subjects: [`session:${row.id}`, `user:${row.userId}`],
          expiresAt: Math.min(row.expiresAt, Math.max(row.lastSeenAt, notes.last(row.id)) + idleMs),
        }

  return {
    /** A new session as statements for the batch that claims its challenge, and the token that will open it. */
    async open({ userId, method, label, place, deviceId }: NewSession): Promise<OpenedSession> {
      const now = clock.now()
      const [id, sec, expiresAt] = [newId('ses'), randomSecret(), now + absoluteMs]
      const { token, kid } = await tokens.sign({ sid: id, sub: userId, sec, expiresAt })
      const row = {
        ...{ id, userId, kid, label, method, place, deviceId, expiresAt },
        ...{ secretHash: sha256(sec), createdAt: now, lastSeenAt: now, authAt: now, revokedAt: null },
      }
      const session = present(row, id)
      const statements = [...store.endOldest(userId, now, idleMs, maxSessions - 1), store.insert(row)]
      return { token, session, maxAgeSeconds: Math.floor(absoluteMs / 1000), statements }
    },

    /** The person has proved their mailbox anew in that session: for the batch that claims the proof. */
    confirm({ id, sessionId }: Person): { statements: Statement[]; events: Event[] } {
      const now = clock.now()
      return {
        statements: [
          store.confirm(id, sessionId, now),
          guard('unauthenticated'),
          // Nothing is lost: whoever remembers the session reads it anew.
          revoke(now, `session:${sessionId}`),
        ],
        events: [{ action: 'session.confirmed', targets: [sessionId], userId: id }],
      }
    },

    /** @throws `unauthenticated` when it is gone. */
    async current({ sessionId }: Person): Promise<Session> {
      const row = await store.byId(sessionId)
      if (!row) throw new Failure('unauthenticated')
      return present(row, sessionId)
    },

    /** Whose it is, and what a mail about it says; undefined when it is gone. */
    async find(id: string): Promise<{ userId: string; label: string; from: string | null; at: number } | undefined> {
      const row = await store.byId(id)
      return row && { userId: row.userId, label: row.label, from: row.place, at: row.createdAt }
    },

    /** Whether a user has had a session like it: what is known of a client that keeps no device cookie. */
    isFamiliar: (userId: string, label: string, place: string | null): Promise<boolean> =>
      store.hasAlike(userId, label, place),

    /** All sessions of a person that are kept, ended ones too, newest first. */
    held: async (person: Person): Promise<Session[]> =>
      (await store.all(person.id)).map((row) => present(row, person.sessionId)),

    /** Ends all sessions of a user, for a batch. */
    endAllOf(userId: string): Statement[] {
      const now = clock.now()
      return [store.endAll(userId, null, now), revoke(now, `user:${userId}`)]
    },

    /** Forgets all sessions of a user, for the batch that ends the account. */
    erase: (userId: string): Statement[] => [
      store.removeAll(userId),
      devices.forgetAll(userId, null),
      revoke(clock.now(), `user:${userId}`),
    ],

    /** Whose session a token opens: signature, secret and row must all hold. Null for anything else. */
    async prove(token: string): Promise<Held<Omit<Person, 'origin'>> | null> {
      const now = clock.now()
      const claims = await tokens.verify(token, now)
      const row = claims && (await store.byId(claims.sid))
      if (!row || row.userId !== claims.sub || !equalSecret(row.secretHash, sha256(claims.sec))) return null
      return proofOf(row)
    },

    /** As `prove`, for what a session has left behind: whether it still stands. */
    async proveById(id: string): Promise<Held<Omit<Person, 'origin'>> | null> {
      const row = await store.byId(id)
      return row ? proofOf(row) : null
    },

    /** The person's live sessions, newest first. */
    async list(person: Person, query: PageQuery): Promise<Page<Session>> {
      const read = (limit: number, after: After | null) => store.list(person.id, clock.now(), idleMs, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.id }))
      return { ...page, data: page.data.map((row) => present(row, person.sessionId)) }
    },

    /**
     * Ends one session of the person. Ended from another, its device is known no more; one's own keeps it.
     * Gives a receipt where one is asked for. @throws `not_found` for another's, an ended one, or none.
     */
    async end(person: Person, id: string, { fence }: Fence = {}): Promise<Receipt | undefined> {
      const now = clock.now()
      await write(person, { action: 'session.revoked', targets: [id] }, [
        store.end(person.id, id, now),
        guard('not_found'),
        ...(id === person.sessionId ? [] : [devices.forgetOfSession(person.id, id)]),
        revoke(now, `session:${id}`),
      ])
      return fence && newReceipt(now, true)
    },

    /** Ends the person's other sessions, or all of them, and forgets their devices. Gives how many, and a receipt where one is asked for. */
    async endMany(
      person: Person,
      which: 'others' | 'all',
      { fence }: Fence = {},
    ): Promise<{ revoked: number } & Partial<Receipt>> {
      const [now, kept] = [clock.now(), which === 'others' ? person.sessionId : null]
      const [ended] = await write(person, { action: 'session.revoked', targets: [person.id], change: { which } }, [
        store.endAll(person.id, kept, now),
        devices.forgetAll(person.id, kept),
        revoke(now, `user:${person.id}`),
      ])
      if (!ended) throw new Failure('internal')
      return { revoked: ended.changes, ...(fence && (await newReceipt(now, true))) }
    },

    /** Notes a use in memory; at most once a minute and session it is written, by `flushSeen`. */
    seen: notes.note,
    flushSeen: () =>
      notes.flush((batch) => unaudited('when a session was last used changes no right', store.seen(batch))),

    /** Forgets sessions that ended a month ago. */
    sweep: () =>
      unaudited('an ended session is no longer of use', [store.removeEndedBefore(clock.now() - 30 * 86_400_000)]),
  }
}
export type SessionService = ReturnType<typeof sessionService>
