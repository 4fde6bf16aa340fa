// A key of its own for each workspace and purpose: random, wrapped by the master key. Its end is the end of what it sealed.
import { and, eq, ne, sql } from 'drizzle-orm'
import { media, mediaVersions, workspaceKeys, workspaces } from '../../db/schema'
import { Failure } from '../errors'
import type { Keyring } from '../keyring'
import { randomBytes } from '../lib/crypto'
import { randomBase62 } from '../lib/id'
import type { WorkspaceId } from '../permissions'
import type { Clock, Database, Statement } from '../ports'
import { createHeldCache, type Held, type Revocations } from '../revocation'
import { builder, statement, type Unaudited } from '../write'
import type { Wrapper } from './master-keys'

type KeyRow = typeof workspaceKeys.$inferSelect
type Purpose = KeyRow['purpose']

const placeOf = ({ workspaceId, kid, purpose }: Pick<KeyRow, 'workspaceId' | 'kid' | 'purpose'>) => [
  workspaceId,
  kid,
  purpose,
]

/** What a key of the purpose has sealed: where there is any, a missing key is lost and none is made over it. */
const sealedBy: Record<Purpose, readonly (typeof media | typeof mediaVersions)[]> = { media: [media, mediaVersions] }

/** Inserts the first key of a workspace that is there, so that of two nodes one makes it. */
const insertFirst = ({ workspaceId, purpose, kid, wrapped, createdAt }: KeyRow): Statement => {
  const isHere = and(eq(workspaceKeys.workspaceId, workspaceId), eq(workspaceKeys.purpose, purpose))
  const isUsed = sealedBy[purpose].map(
    (table) =>
      sql`exists (select 1 from ${table} where ${eq(table.workspaceId, workspaceId)} and ${table.key} is not null)`,
  )
  const row = sql`select ${workspaceId}, ${purpose}, ${kid}, ${wrapped}, ${createdAt}
    where exists (select 1 from ${workspaces} where ${eq(workspaces.workspaceId, workspaceId)})
    and not exists (select 1 from ${workspaceKeys} where ${isHere})
    and not (${sql.join(isUsed, sql` or `)})`
  return statement(builder.insert(workspaceKeys).select(row))
}

/** Changes only the wrapping, and only where no other node has done so by now. */
const rewrap = ({ workspaceId, purpose, wrapped: before }: KeyRow, wrapped: string): Statement => {
  const { workspaceId: owner, purpose: use, wrapped: now } = workspaceKeys
  const isIt = and(eq(owner, workspaceId), eq(use, purpose), eq(now, before))
  return statement(builder.update(workspaceKeys).set({ wrapped }).where(isIt))
}

const atOnce = 500

/** Wraps anew what an older master key wrapped. @throws Error, as a sentence for the operator, when it is not given. */
export const rewrapWorkspaceKeys = async (db: Database, unaudited: Unaudited, wrapper: Wrapper): Promise<void> => {
  const kidOf = sql`substr(${workspaceKeys.wrapped}, 1, instr(${workspaceKeys.wrapped}, '.') - 1)`
  const outdated = db.acrossTenants('keys of all workspaces go under the current master key', (orm) =>
    orm.select().from(workspaceKeys).where(ne(kidOf, wrapper.currentKid)).limit(atOnce).prepare(),
  )
  for (let rows = await outdated.all(); rows.length > 0; rows = await outdated.all()) {
    const anew = rows.map((row) => rewrap(row, wrapper.wrap(wrapper.unwrap(row.wrapped, placeOf(row)), placeOf(row))))
    await unaudited('the same keys, under the current master key', anew)
  }
}

const cachedKeys = 10_000

type Deps = { db: Database; unaudited: Unaudited; keyring: Keyring; revocations: Revocations; clock: Clock }

export const createWorkspaceKeys = ({ db, unaudited, keyring: { wrapper }, revocations, clock }: Deps) => {
  const cache = createHeldCache<Uint8Array>(revocations, clock, cachedKeys)
  const row = db.orm
    .select({ kid: workspaceKeys.kid, wrapped: workspaceKeys.wrapped, workspace: workspaces.id })
    .from(workspaceKeys)
    .innerJoin(workspaces, eq(workspaces.workspaceId, workspaceKeys.workspaceId))
    .where(
      and(
        eq(workspaceKeys.workspaceId, sql.placeholder('workspaceId')),
        eq(workspaceKeys.purpose, sql.placeholder('purpose')),
      ),
    )
    .prepare()

  const load = async (workspaceId: WorkspaceId, purpose: Purpose): Promise<Held<Uint8Array> | null> => {
    const found = await row.get({ workspaceId, purpose })
    if (!found) return null
    const value = wrapper.unwrap(found.wrapped, placeOf({ workspaceId, purpose, kid: found.kid }))
    return { value, subjects: [`workspace:${found.workspace}`], expiresAt: Number.POSITIVE_INFINITY }
  }

  /** Null where there is none. @throws Error, as a sentence for the operator, when the master key does not open it. */
  const find = async (workspaceId: WorkspaceId, purpose: Purpose): Promise<Uint8Array | null> => {
    const name = `${workspaceId}:${purpose}`
    return cache.get(name) ?? cache.fill(name, () => load(workspaceId, purpose))
  }

  return {
    find,
    /** As `find`, made when it is first asked for. @throws Failure `internal` where it is lost, or the workspace is. */
    async get(workspaceId: WorkspaceId, purpose: Purpose): Promise<Uint8Array> {
      const known = await find(workspaceId, purpose)
      if (known) return known
      const made = { workspaceId, purpose, kid: randomBase62(10), createdAt: clock.now() }
      const first = { ...made, wrapped: wrapper.wrap(randomBytes(32), placeOf(made)) }
      await unaudited('a key that has sealed nothing yet', [insertFirst(first)])
      const key = await find(workspaceId, purpose)
      if (!key) throw new Failure('internal', undefined, { cause: new Error('The key of a workspace is lost') })
      return key
    },
  }
}
export type WorkspaceKeys = ReturnType<typeof createWorkspaceKeys>
