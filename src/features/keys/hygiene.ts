// What ends keys without anybody asking for it by id: found ones, unused ones, those of a member who was removed; and
// what a restored backup suspended.
import { Failure, isFailure } from '../../errors'
import { eachDue } from '../../lib/each-due'
import type { Actor, Origin } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { revoke } from '../../revocation'
import { type Event, guard, system, type Write } from '../../write'
import type { KeyService } from './service'
import { keyStore } from './store'

type Deps = {
  db: Database
  write: Write
  clock: Clock
  keys: Pick<KeyService, 'locate' | 'flushUsed'>
}

const day = 86_400_000
const warnMs = 90 * day
const endMs = 365 * day
const atOnce = 100

export const keyHygiene = ({ db, write, clock, keys }: Deps) => {
  const store = keyStore(db)
  /** Used or ended since it was listed: then nothing is written, and the next one has its turn. */
  const writeIfStill = async (event: Event, statements: Statement[]) => {
    await write(system, event, statements).catch((error: unknown) => {
      if (!isFailure(error, 'not_found')) throw error
    })
  }

  return {
    /**
     * Takes a found key as proof and revokes it, also one that is of no use just now: it might be again. Anything else
     * does nothing; whoever sends it cannot tell.
     */
    async leaked(origin: Origin, token: string): Promise<void> {
      const place = await keys.locate(token)
      if (!place) return
      const [now, { workspaceId, id }] = [clock.now(), place]
      const row = await store.find(workspaceId, id)
      if (!row || row.revokedAt !== null) return
      const event = { action: 'key.leaked', targets: [id], workspaceId }
      await write({ type: 'nobody', origin }, event, [store.revoke(workspaceId, id, now), revoke(now, `key:${id}`)])
    },

    /** Ends all live keys that somebody made, as statements for the batch that removes them, including any made this instant. */
    endMadeBy: (actor: Actor, userId: string): Statement[] => {
      if (!actor.permissions.has('key:revoke')) throw new Failure('forbidden')
      const now = clock.now()
      return [
        store.takeAwayMadeBy(actor.workspace.id, userId, now),
        store.revokeMadeBy(actor.workspace.id, userId, now),
      ]
    },

    /**
     * Lets keys live again that a restored backup suspended: those of `ids`, or all. Gives how many. For the operator, who
     * knows which of them were revoked since. @throws Error, as a sentence, for an id of no such key; then none is confirmed.
     */
    async confirm(ids: readonly string[] | null): Promise<number> {
      const suspended = await store.suspended()
      const wanted = ids === null ? suspended : suspended.filter(({ id }) => ids.includes(id))
      if (ids !== null && wanted.length < new Set(ids).size) throw new Error('Not all of these are suspended keys.')
      for (const { workspaceId, id } of wanted)
        await write(system, { action: 'key.confirmed', targets: [id], workspaceId }, [
          store.confirm(workspaceId, id),
          guard('not_found'),
        ])
      return wanted.length
    },

    /**
     * A key that nobody used for 90 days raises an event once, after 365 it is revoked. One that is used again starts anew.
     * Stops between two when `signal` aborts.
     */
    async endUnused(signal?: AbortSignal): Promise<void> {
      const now = clock.now()
      const [end, warn] = [now - endMs, now - warnMs]
      await keys.flushUsed()
      await eachDue(
        () => store.unused(now, end, atOnce),
        ({ workspaceId, id }) =>
          writeIfStill({ action: 'key.revoked', targets: [id], workspaceId, change: { reason: 'unused' } }, [
            store.revokeUnused(workspaceId, id, now, end),
            guard('not_found'),
            revoke(now, `key:${id}`),
          ]),
        signal,
      )
      await eachDue(
        () => store.untold(now, warn, atOnce),
        ({ workspaceId, id }) =>
          writeIfStill({ action: 'key.unused', targets: [id], workspaceId }, [
            store.tell(workspaceId, id, now, warn),
            guard('not_found'),
          ]),
        signal,
      )
    },
  }
}
export type KeyHygiene = ReturnType<typeof keyHygiene>
