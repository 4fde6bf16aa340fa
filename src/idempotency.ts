// Requests that may be sent again: what one with an Idempotency-Key has made is claimed in the batch that makes it.
import { and, eq, gt, lte, sql } from 'drizzle-orm'
import { idempotencyKeys as table } from '../db/schema'
import { Failure, isFailure } from './errors'
import type { Keyring } from './keyring'
import { keyedHash } from './lib/crypto'
import type { Actor, Origin, Person, WorkspaceId } from './permissions'
import type { Clock, Database } from './ports'
import { builder, statement } from './write'

type Deps = { db: Database; clock: Clock; keyring: Keyring }
/** A request as it arrived; `claim` is what `write()` takes along with the change it makes. */
type Sent = { request: Request; route: string; claim: NonNullable<Origin['claim']> | null }

const dayMs = 86_400_000
const shows = { everyMs: 50, times: 60 }

const keyOf = ({ request }: Sent): string | null => {
  const key = request.headers.get('idempotency-key')
  if (key !== null && !/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Failure('invalid', 'An Idempotency-Key is 1 to 255 visible letters of ASCII')
  return key
}

/**
 * Builds `once(sent, by, body, make, again)`: `make`, or where the same request made something in the last 24 hours,
 * `again` of its id. The thing made is the first target of the audit event.
 * @throws Failure `conflict` for a key that was used for another request; `invalid` for one that is none.
 */
export const createOnce = ({ db, clock, keyring }: Deps) => {
  const find = db.orm
    .select({ bodyHash: table.bodyHash, madeId: table.madeId })
    .from(table)
    .where(
      and(
        eq(table.workspaceId, sql.placeholder('workspaceId')),
        eq(table.actorId, sql.placeholder('actorId')),
        eq(table.route, sql.placeholder('route')),
        eq(table.key, sql.placeholder('key')),
        gt(table.expiresAt, sql.placeholder('now')),
      ),
    )
    .prepare()

  return async <T>(
    sent: Sent,
    by: Actor | Person,
    body: unknown,
    make: () => Promise<T>,
    again: (id: string) => Promise<T>,
  ): Promise<T> => {
    const key = keyOf(sent)
    if (key === null) return make()
    const workspaceId = 'workspace' in by ? by.workspace.id : (0 as WorkspaceId)
    const scope = { workspaceId, actorId: by.id, route: sent.route, key }
    const project = 'project' in by ? (by.project?.id ?? '') : ''
    const said = `idempotency ${new URL(sent.request.url).pathname} ${project} ${JSON.stringify(body)}`
    const bodyHash = keyedHash(keyring.current('index').key, said)
    // On a copy the claim may show a moment before what it names.
    const read = async (id: string): Promise<T> => {
      for (let tries = db.sharing.kind === 'alone' ? shows.times : 0; ; tries++) {
        try {
          return await again(id)
        } catch (error) {
          if (tries >= shows.times || !isFailure(error, 'not_found')) throw error
          await clock.sleep(shows.everyMs)
        }
      }
    }
    const answer = async (): Promise<{ value: T } | null> => {
      const earlier = await find.get({ ...scope, now: clock.now() })
      if (!earlier) return null
      if (earlier.bodyHash !== bodyHash)
        throw new Failure('conflict', 'That Idempotency-Key was used for another request')
      return { value: await read(earlier.madeId) }
    }

    const known = await answer()
    if (known) return known.value
    const taken = new Failure('conflict', 'That Idempotency-Key is in use')
    sent.claim = (madeId) => {
      const now = clock.now()
      sent.claim = null
      const row = { ...scope, bodyHash, madeId, expiresAt: now + dayMs }
      return [
        statement(builder.delete(table).where(and(eq(table.workspaceId, workspaceId), lte(table.expiresAt, now)))),
        { ...statement(builder.insert(table).values(row)), orElse: taken },
      ]
    }
    try {
      return await make()
    } catch (error) {
      // Another node made it at the same time: what it made shows here in a moment.
      for (let tries = 0; error === taken && tries < shows.times; tries++) {
        const made = await answer()
        if (made) return made.value
        await clock.sleep(shows.everyMs)
      }
      throw error
    }
  }
}
export type Once = ReturnType<typeof createOnce>

/** The `again` of what is shown when it is made and never after. */
export const shownOnce = (): never => {
  throw new Failure('already_shown')
}
