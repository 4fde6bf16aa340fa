// What a restored database may not bring back: sessions, codes and links, mail, invitations, and keys until confirmed.
import type { Clock, Database, Statement } from '../ports'
import { createWrite } from '../write'
import type { Header } from './archive'

const plain = (sql: string, ...args: number[]): Statement => ({
  sql,
  acrossTenants: 'a restored backup brings nothing back to life',
  args,
})

/** Ends it in one batch, under the next generation. Gives how many keys wait to be confirmed. */
export const endWhatWasOpen = async (
  db: Database,
  clock: Clock,
  { createdAt, generation }: Header,
): Promise<number> => {
  const now = clock.now()
  const write = createWrite({ db, clock, revocations: { apply: () => {} } })
  const change = { backup_of: createdAt, generation: generation + 1 }
  const [suspended] = await write(
    { type: 'system', origin: null },
    { action: 'instance.restored', targets: [], change },
    [
      plain('update api_keys set suspended_at = ? where revoked_at is null and suspended_at is null', now),
      plain("update meta set value = cast(cast(value as integer) + 1 as text) where name = 'generation'"),
      plain('update sessions set revoked_at = ? where revoked_at is null', now),
      plain('update invitations set revoked_at = ? where revoked_at is null and accepted_at is null', now),
      plain('delete from challenges'),
      plain('delete from links'),
      plain('delete from outbox where sent_at is null'),
      plain('delete from nodes'),
      plain('delete from leases'),
    ],
  )
  return suspended!.changes
}
