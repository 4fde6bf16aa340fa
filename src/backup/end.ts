// What a restored database may not bring back: sessions, codes and links, mail, invitations, and keys until confirmed.
import type * as schema from '../../db/schema'
import type { Clock, Database, Statement } from '../ports'
import { createWrite, system } from '../write'
import type { Header } from './archive'

type Table = keyof typeof schema
type Fate = 'stays' | ((now: number) => [sql: string, ...args: number[]][])

const emptied =
  (table: string): Fate =>
  () => [[`delete from ${table}`]]

// What an upload that ends had taken from its workspace's quota.
const giveBack = `update quotas set used = max(0, used - (select coalesce(sum(length), 0) from uploads
  where uploads.workspace_id = quotas.workspace_id and media_id is null)) where resource = 'storage_bytes'`

/** What becomes of each table: the compiler asks about every new one. */
const fates: Record<Table, Fate> = {
  apiKeys: (now) => [['update api_keys set suspended_at = ? where revoked_at is null and suspended_at is null', now]],
  sessions: (now) => [['update sessions set revoked_at = ? where revoked_at is null', now]],
  invitations: (now) => [
    ['update invitations set revoked_at = ? where revoked_at is null and accepted_at is null', now],
  ],
  outbox: () => [['delete from outbox where sent_at is null']],
  uploads: () => [[giveBack], ['delete from uploads']],
  challenges: emptied('challenges'),
  links: emptied('links'),
  nodes: emptied('nodes'),
  leases: emptied('leases'),
  guards: 'stays',
  meta: 'stays',
  programKeys: 'stays',
  revocations: 'stays',
  users: 'stays',
  formerAddresses: 'stays',
  devices: 'stays',
  budgetUses: 'stays',
  humanProofs: 'stays',
  workspaces: 'stays',
  workspacePlans: 'stays',
  workspaceKeys: 'stays',
  projects: 'stays',
  members: 'stays',
  projectMembers: 'stays',
  media: 'stays',
  mediaVersions: 'stays',
  quotas: 'stays',
  usage: 'stays',
  idempotencyKeys: 'stays',
  auditEvents: 'stays',
  auditHeads: 'stays',
  auditCheckpoints: 'stays',
}

const plain = (sql: string, ...args: number[]): Statement => ({
  sql,
  acrossTenants: 'a restored backup brings nothing back to life',
  args,
})

/**
 * Ends it in one batch, under a generation above all there has been: also above that of what the same backup was restored
 * to before. Gives how many keys wait to be confirmed.
 */
export const endWhatWasOpen = async (db: Database, clock: Clock, header: Header): Promise<number> => {
  const now = clock.now()
  const write = createWrite({ db, clock, revocations: { apply: () => {} } })
  const generation = Math.max(header.generation + 1, now)
  const change = { backup_of: header.createdAt, generation }
  const ends = Object.values(fates).flatMap((fate) => (fate === 'stays' ? [] : fate(now)))
  const [, suspended] = await write(system, { action: 'instance.restored', targets: [], change }, [
    plain("update meta set value = cast(? as text) where name = 'generation'", generation),
    ...ends.map((end) => plain(...end)),
  ])
  return suspended!.changes
}
