// The only SQL that reads the audit, and the only one that changes it: to number and hash a row once, and to prune.
import { and, asc, count, desc, eq, gt, isNull, lte, max, ne, type SQL, sql } from 'drizzle-orm'
import { auditCheckpoints as checkpoints, auditEvents as events, auditHeads as heads, meta } from '../../../db/schema'
import { type After, afterArgs, isAfter } from '../../lib/page'
import type { WorkspaceId } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { builder, compile, guard, inserter, statement } from '../../write'
import { allChains, genesisOf, workspaceOf } from './chain'

export type EventRow = typeof events.$inferSelect
export type NewMarkRow = typeof heads.$inferSelect
export type MarkRow = NewMarkRow & { genesis: string }
export type Filters = {
  action: string | null
  actor: string | null
  target: string | null
}
/** A part of a chain: what lies before the one place and not before the other. */
export type Span = { before: After; from: After }

const slot = sql.placeholder
const unless = (name: string, condition: SQL): SQL => sql`(${slot(name)} is null or ${condition})`
const isWithin = and(
  isAfter(events.at, events.id),
  sql`(${events.at}, ${events.id}) >= (${slot('fromAt')}, ${slot('fromId')})`,
)
const withinArgs = ({ before, from }: Span) => ({ ...afterArgs(before), fromAt: from.at, fromId: from.id })
const ofChain = and(eq(events.workspaceId, slot('workspaceId')), eq(events.chain, slot('chain')))

const number = compile<Pick<EventRow, 'workspaceId' | 'id'> & { position: number; hash: string }>(
  builder
    .update(events)
    .set({ position: sql`${slot('position')}`, hash: sql`${slot('hash')}` })
    .where(and(eq(events.workspaceId, slot('workspaceId')), eq(events.id, slot('id')), isNull(events.position))),
)
const insertHead = inserter(heads)
const moveHead = compile<NewMarkRow & { wasAt: number; wasHash: string }>(
  builder
    .update(heads)
    .set({
      ...{ position: sql`${slot('position')}`, hash: sql`${slot('hash')}`, at: sql`${slot('at')}` },
      ...{ kid: sql`${slot('kid')}`, signature: sql`${slot('signature')}` },
    })
    .where(and(eq(heads.chain, slot('chain')), eq(heads.position, slot('wasAt')), eq(heads.hash, slot('wasHash')))),
)

const reads = (db: Database) => ({
  list: db.orm
    .select()
    .from(events)
    .where(
      and(
        ofChain,
        isWithin,
        unless('action', sql`${events.action} = ${slot('action')}`),
        unless('actor', sql`${events.actorId} = ${slot('actor')}`),
        unless('target', sql`exists (select 1 from json_each(${events.targets}) where value = ${slot('target')})`),
      ),
    )
    .orderBy(desc(events.at), desc(events.id))
    .limit(slot('limit'))
    .prepare(),
  nth: db.orm
    .select({ at: events.at, id: events.id })
    .from(events)
    .where(and(ofChain, isWithin))
    .orderBy(desc(events.at), desc(events.id))
    .limit(1)
    .offset(slot('past'))
    .prepare(),
  unsealed: db.acrossTenants('the sealer numbers the rows of every chain', (orm) =>
    orm
      .select()
      .from(events)
      .where(and(isNull(events.position), sql`${events.chain} not in (select value from json_each(${slot('except')}))`))
      // Committed in the same millisecond: in the order they were.
      .orderBy(asc(events.at), asc(sql`rowid`))
      .limit(slot('limit'))
      .prepare(),
  ),
  sealed: db.orm
    .select()
    .from(events)
    .where(and(ofChain, gt(events.position, slot('position'))))
    .orderBy(asc(events.position))
    .limit(slot('limit'))
    .prepare(),
  last: db.orm
    .select({ position: max(events.position) })
    .from(events)
    .where(ofChain)
    .prepare(),
  checkpoint: db.orm
    .select()
    .from(checkpoints)
    .where(eq(checkpoints.chain, slot('chain')))
    .prepare(),
  headsSince: db.orm
    .select()
    .from(heads)
    .where(gt(heads.at, slot('since')))
    .orderBy(asc(heads.at))
    .prepare(),
  heads: db.orm
    .select()
    .from(heads)
    .where(sql`${heads.chain} in (select value from json_each(${slot('chains')}))`)
    .prepare(),
  instance: db.orm.select({ id: meta.value }).from(meta).where(eq(meta.name, 'instance_id')).prepare(),
  chains: db.orm.select({ chain: heads.chain }).from(heads).where(ne(heads.chain, allChains)).prepare(),
  chainCount: db.orm.select({ count: count() }).from(heads).where(ne(heads.chain, allChains)).prepare(),
})

const place = (chain: string) => ({ workspaceId: workspaceOf(chain), chain })

export const auditStore = (db: Database) => {
  const read = reads(db)
  let instance: string | undefined
  const genesis = async (chain: string): Promise<string> => {
    instance ??= (await read.instance.get())?.id ?? ''
    return genesisOf(chain, instance)
  }
  const named = (rows: readonly NewMarkRow[]): Promise<MarkRow[]> =>
    Promise.all(rows.map(async (row) => ({ ...row, genesis: await genesis(row.chain) })))

  return {
    genesis,
    /** The rows of a part of a chain that pass the filters, newest first. No filter has an index. */
    list: (chain: string, span: Span, filters: Filters, limit: number) =>
      read.list.all({ ...place(chain), ...withinArgs(span), ...filters, limit }),
    /** Where the newest `count` rows of a part of a chain begin; undefined where there are fewer. Reads the index alone. */
    startOfNewest: (chain: string, span: Span, count: number) =>
      read.nth.get({ ...place(chain), ...withinArgs(span), past: count - 1 }),
    /** Rows without a number, of all chains but some, oldest first. */
    unsealed: (except: readonly string[], limit: number) =>
      read.unsealed.all({ except: JSON.stringify(except), limit }),
    checkpoint: async (chain: string) => (await named(await read.checkpoint.all({ chain })))[0],
    headsSince: async (since: number) => named(await read.headsSince.all({ since })),
    /** Fails with `conflict` unless the checkpoint still is at `before` (0: there is none). */
    moveCheckpoint: (before: number, to: NewMarkRow): Statement[] => [
      statement(
        builder
          .insert(checkpoints)
          .values(to)
          .onConflictDoUpdate({ target: checkpoints.chain, set: to, setWhere: eq(checkpoints.position, before) }),
      ),
      guard('conflict'),
    ],
    deleteUpTo: (chain: string, position: number): Statement =>
      statement(
        builder
          .delete(events)
          .where(
            and(eq(events.workspaceId, workspaceOf(chain)), eq(events.chain, chain), lte(events.position, position)),
          ),
      ),
    /** A chain's numbered rows beyond `position`, in order. */
    sealed: (chain: string, position: number, limit: number) => read.sealed.all({ ...place(chain), position, limit }),
    lastPosition: async (chain: string) => (await read.last.get(place(chain)))?.position ?? 0,
    head: async (chain: string) => (await named(await read.heads.all({ chains: JSON.stringify([chain]) })))[0],
    /** Those of many chains, by chain. */
    heads: async (chains: readonly string[]): Promise<Map<string, MarkRow>> =>
      new Map(
        (await named(await read.heads.all({ chains: JSON.stringify(chains) }))).map((head) => [head.chain, head]),
      ),
    chains: async () => (await read.chains.all()).map(({ chain }) => chain),
    chainCount: async () => (await read.chainCount.get())?.count ?? 0,
    /** Numbers and hashes one row. Fails with `conflict` where that is done, or the row is gone. */
    number: (workspaceId: WorkspaceId, id: string, position: number, hash: string): Statement[] => [
      number({ workspaceId, id, position, hash }),
      guard('conflict'),
    ],
    /** Moves a head on. Fails with `conflict` unless it is still where `before` says. */
    moveHead: (before: MarkRow | undefined, to: NewMarkRow): Statement[] =>
      before
        ? [moveHead({ ...to, wasAt: before.position, wasHash: before.hash }), guard('conflict')]
        : [insertHead(to)],
  }
}
export type AuditStore = ReturnType<typeof auditStore>
