// The program's own keys, a ring for each purpose: random, kept wrapped by a master key, never derived from it.
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import { meta, programKeys, users } from '../db/schema'
import { createWrapper, type Key, type MasterKeys } from './keyring/master-keys'
import { rewrapWorkspaceKeys } from './keyring/workspace-keys'
import { randomBytes } from './lib/crypto'
import { randomBase62 } from './lib/id'
import type { Clock, Database, Statement } from './ports'
import { builder, createUnaudited, statement } from './write'

const purposes = ['address', 'index', 'challenge', 'session', 'pepper', 'audit-sign'] as const
export type Purpose = (typeof purposes)[number]
/** Without these, people who are known can be neither found nor written to. */
const irreplaceable: readonly Purpose[] = ['address', 'index']

type KeyRow = typeof programKeys.$inferSelect

const queries = ({ orm }: Database) => ({
  instanceId: orm.select({ value: meta.value }).from(meta).where(eq(meta.name, 'instance_id')).prepare(),
  keys: orm.select().from(programKeys).orderBy(desc(programKeys.createdAt), asc(programKeys.kid)).prepare(),
  person: orm.select({ id: users.id }).from(users).limit(1).prepare(),
})

const insert = (row: KeyRow): Statement => statement(builder.insert(programKeys).values(row))

/** Inserts `row` unless its purpose has a key by now, so that of two nodes that start at once one makes it. */
const insertFirst = ({ kid, purpose, wrapped, createdAt }: KeyRow): Statement => {
  const taken = sql`select 1 from ${programKeys} where ${eq(programKeys.purpose, purpose)}`
  const row = sql`select ${kid}, ${purpose}, ${wrapped}, ${createdAt} where not exists (${taken})`
  return statement(builder.insert(programKeys).select(row))
}

/** Changes only the wrapping, and only where no other node has done so by now. */
const rewrap = ({ kid, wrapped: before }: KeyRow, wrapped: string): Statement =>
  statement(
    builder
      .update(programKeys)
      .set({ wrapped })
      .where(and(eq(programKeys.kid, kid), eq(programKeys.wrapped, before))),
  )

/** Reads and makes the rows of one instance, wrapped by `master`. */
const createKeyStore = async (db: Database, master: MasterKeys) => {
  const { instanceId, keys, person } = queries(db)
  const instance = (await instanceId.get())?.value
  if (!instance) throw new Error('This database says no instance_id: it is not one of ours.')
  const wrapper = createWrapper(master, instance)
  const placeOf = (row: { purpose: string; kid: string }) => [row.purpose, row.kid]

  return {
    wrapper,
    /** Every key, opened, the newest first. */
    read: async () => (await keys.all()).map((row) => ({ ...row, key: wrapper.unwrap(row.wrapped, placeOf(row)) })),
    newRow: (purpose: Purpose, createdAt: number): KeyRow => {
      const row = { kid: randomBase62(10), purpose, createdAt }
      return { ...row, wrapped: wrapper.wrap(randomBytes(32), placeOf(row)) }
    },
    rewrapped: (rows: readonly (KeyRow & Key)[]): Statement[] =>
      rows
        .filter((row) => !wrapper.isCurrent(row.wrapped))
        .map((row) => rewrap(row, wrapper.wrap(row.key, placeOf(row)))),
    hasPeople: async () => (await person.get()) !== undefined,
  }
}

/**
 * Opens the rings, makes those that are missing, and wraps anew what an older master key wrapped.
 * @throws Error, as a sentence for the operator: a master key is not given or is another, or keys of this database are gone.
 */
export const openKeyring = async ({ db, master, clock }: { db: Database; master: MasterKeys; clock: Clock }) => {
  const store = await createKeyStore(db, master)
  const unaudited = createUnaudited(db)
  let rows = await store.read()

  const missing = purposes.filter((purpose) => !rows.some((row) => row.purpose === purpose))
  if (missing.some((purpose) => irreplaceable.includes(purpose)) && (await store.hasPeople()))
    throw new Error('This database has people but not the keys to their addresses: restore them from a backup.')
  const first = missing.map((purpose) => insertFirst(store.newRow(purpose, clock.now())))
  if (first.length > 0) await unaudited('the first start makes the keys it needs', first)
  const outdated = store.rewrapped(rows)
  if (outdated.length > 0) await unaudited('the same keys, under the current master key', outdated)
  await rewrapWorkspaceKeys(db, unaudited, store.wrapper)
  rows = await store.read()

  const all = (purpose: Purpose): readonly Key[] => rows.filter((row) => row.purpose === purpose)
  return {
    all,
    /** Wraps further keys of this instance by the master key. */
    wrapper: store.wrapper,
    /** The newest whose time has come. */
    current: (purpose: Purpose): Key =>
      rows.find((row) => row.purpose === purpose && row.createdAt <= clock.now()) ?? all(purpose).at(-1)!,
    find: (purpose: Purpose, kid: string): Uint8Array | undefined => all(purpose).find((key) => key.kid === kid)?.key,
    /** Learns of keys that were made since. */
    reload: async (): Promise<void> => {
      rows = await store.read()
    },
    /** Makes a key that becomes current at `from` (instant, ms): late enough that by then every node has reloaded. */
    rotate: async (purpose: Exclude<Purpose, 'index'>, from: number): Promise<void> => {
      await unaudited('a further key takes nothing away', [insert(store.newRow(purpose, from))])
      rows = await store.read()
    },
  }
}
export type Keyring = Awaited<ReturnType<typeof openKeyring>>
