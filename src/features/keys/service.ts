// API keys: making, proving, listing and ending them.
import { Failure } from '../../errors'
import type { Keyring } from '../../keyring'
import { keyedHash } from '../../lib/crypto'
import { newId } from '../../lib/id'
import { type Environment, hintOf, newKeyToken, parseKeyToken } from '../../lib/key-token'
import { type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339, rfc3339OrNull } from '../../lib/time'
import { createUseNotes } from '../../lib/use-notes'
import type { Actor, Level, WorkspaceId } from '../../permissions'
import type { Clock, Database } from '../../ports'
import type { Fence, NewReceipt, Receipt } from '../../receipt'
import { type Held, revoke } from '../../revocation'
import { assertFresh } from '../../step-up'
import { demand, guard, type Unaudited, type Write } from '../../write'
import type { QuotaService } from '../quotas/service'
import type { CreateKey, Key, NewKey, RotateKey, UpdateKey } from './model'
import { type KeyRow, keyStore, type ProofRow } from './store'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  keyring: Keyring
  /** What tokens start with, `ml`. */
  prefix: string
  newReceipt: NewReceipt
  quotas: Pick<QuotaService, 'keepsWithin'>
}

/** What a key says of itself, once proved. `projects` null means all; `expiresAt` is an instant (ms). */
export type KeyProof = {
  id: string
  workspace: Actor['workspace']
  level: Level
  environment: Environment
  projects: readonly string[] | null
  lineage: string
  /** Networks it may be used from; null means any. */
  ipAllow: readonly string[] | null
  expiresAt: number | null
}

type Wanted = Pick<KeyRow, 'name' | 'level' | 'environment' | 'projects' | 'expiresAt' | 'ipAllow'> & {
  lineage?: string
}

const statusOf = ({ revokedAt, expiresAt, suspendedAt }: KeyRow, now: number): Key['status'] => {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt !== null && expiresAt <= now) return 'expired'
  return suspendedAt === null ? 'active' : 'suspended'
}

const present = (row: KeyRow, now: number): Key => ({
  id: row.id,
  name: row.name,
  hint: row.hint,
  level: row.level,
  environment: row.environment,
  projects: row.projects,
  ip_allow: row.ipAllow,
  lineage: row.lineage,
  status: statusOf(row, now),
  created_at: rfc3339(row.createdAt),
  last_used_at: rfc3339OrNull(row.lastUsedAt),
  expires_at: rfc3339OrNull(row.expiresAt),
})

export const keyService = ({ db, write, unaudited, clock, keyring, prefix, newReceipt, quotas }: Deps) => {
  const store = keyStore(db)
  const notes = createUseNotes(clock)

  const get = async (actor: Actor, id: string): Promise<Key> => {
    const row = await store.find(actor.workspace.id, id)
    if (!row) throw new Failure('not_found')
    return present(row, clock.now())
  }

  const end = async (actor: Actor, id: string): Promise<number> => {
    const now = clock.now()
    const [ended] = await write(actor, { action: 'key.revoked', targets: [id] }, [
      store.revoke(actor.workspace.id, id, now),
      guard('not_found'),
      revoke(now, `key:${id}`),
    ])
    return ended?.rows[0]?.revoked_at as number
  }

  const proofOf = (row: ProofRow): Held<KeyProof> | null => {
    const { id, level, environment, projects, lineage, ipAllow, expiresAt } = row
    if (row.workspaceDeletesAt !== null || row.revokedAt !== null || row.suspendedAt !== null) return null
    if (expiresAt !== null && expiresAt <= clock.now()) return null
    const workspace = { id: row.workspaceId, publicId: row.workspacePublicId, name: row.workspaceName }
    return {
      value: { id, workspace, level, environment, projects, lineage, ipAllow, expiresAt },
      subjects: [`key:${id}`, `workspace:${workspace.publicId}`],
      expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
    }
  }

  /** Which key a token is, whatever has become of it. Nonsense costs no look-up. */
  const locate = async (token: string) => {
    if (parseKeyToken(prefix, token) === null) return
    for (const { key: pepper } of keyring.all('pepper')) {
      const place = await store.locate(keyedHash(pepper, token))
      if (place) return place
    }
    return
  }

  /** As `prove`, for what a key has left behind: whether it still stands. */
  const proveById = async (workspaceId: WorkspaceId, id: string): Promise<Held<KeyProof> | null> => {
    const row = await store.proof(workspaceId, id)
    return row ? proofOf(row) : null
  }

  /** The row of a new key and its token, which is not kept. */
  const newRow = (actor: Actor, wanted: Wanted, now: number) => {
    const token = newKeyToken(prefix, wanted.environment)
    const { kid, key: pepper } = keyring.current('pepper')
    const id = newId('key')
    const row = {
      ...{ id, workspaceId: actor.workspace.id, kid, tokenHash: keyedHash(pepper, token), hint: hintOf(token) },
      ...{
        createdBy: actor.id,
        createdAt: now,
        lastUsedAt: null,
        revokedAt: null,
        suspendedAt: null,
        lineage: id,
        ...wanted,
      },
    }
    return { row, token }
  }

  return {
    /**
     * A new key of the actor's workspace, with its token, which is not kept and never shown again.
     * @throws `step_up_required`; `not_found` for a project the actor may not enter; `invalid` for an expiry in the past;
     * `quota_exceeded`.
     */
    async create(actor: Actor, { name, level, environment, ...input }: CreateKey): Promise<NewKey> {
      const [now, projects, expiresAt] = [clock.now(), input.projects ?? null, input.expires_at ?? null]
      assertFresh(actor.person, now)
      if (expiresAt !== null && expiresAt <= now) throw new Failure('invalid', 'expires_at has passed')
      if (projects?.some((id) => !actor.projects.includes(id))) throw new Failure('not_found')
      const ipAllow = input.ip_allow ?? null
      const { row, token } = newRow(actor, { name, level, environment, projects, expiresAt, ipAllow }, now)
      const change = { level, environment, projects, expires_at: rfc3339OrNull(expiresAt), ip_allow: ipAllow !== null }
      await write(actor, { action: 'key.created', targets: [row.id], change }, [
        demand(store.hasRole(actor.workspace.id, actor.id, actor.role), 'forbidden'),
        ...(projects === null ? [] : [demand(store.hasProjects(actor.workspace.id, projects), 'not_found')]),
        store.insert(row),
        quotas.keepsWithin(actor.workspace.id, 'keys'),
      ])
      return { ...present(row, now), token }
    },

    /**
     * A successor with the same rights, and as long a life as the old one was made for; the old one ends after the grace,
     * or by its own end if that is sooner. @throws `step_up_required`, `not_found`; `conflict` for a key that was rotated
     * before or has ended.
     */
    async rotate(actor: Actor, id: string, { grace_seconds }: RotateKey): Promise<NewKey> {
      const now = clock.now()
      assertFresh(actor.person, now)
      const old = await store.find(actor.workspace.id, id)
      if (!old) throw new Failure('not_found')
      const { name, level, environment, projects, ipAllow, lineage } = old
      const expiresAt = old.expiresAt === null ? null : now + (old.expiresAt - old.createdAt)
      const wanted = { name, level, environment, projects, ipAllow, lineage, expiresAt }
      const { row, token } = newRow(actor, wanted, now)
      await write(actor, { action: 'key.rotated', targets: [id, row.id], change: { grace_seconds } }, [
        demand(store.hasRole(actor.workspace.id, actor.id, actor.role), 'forbidden'),
        store.supersede(actor.workspace.id, id, now, now + grace_seconds * 1000),
        guard('conflict', 'That key was rotated before, or has ended'),
        store.insert(row),
        // What is cached of it does not know its new end.
        revoke(now, `key:${id}`),
      ])
      return { ...present(row, now), token }
    },

    locate,

    /** Whose key a token is; null for anything unknown, revoked, suspended or expired. Nonsense costs no look-up. */
    async prove(token: string): Promise<Held<KeyProof> | null> {
      const place = await locate(token)
      return place ? proveById(place.workspaceId, place.id) : null
    },

    proveById,

    /** The workspace's keys, newest first, ended ones included. */
    async list(actor: Actor, query: PageQuery): Promise<Page<Key>> {
      const page = await paginate(
        query,
        (limit, after) => store.list(actor.workspace.id, limit, after),
        (row) => ({ at: row.createdAt, id: row.id }),
      )
      const now = clock.now()
      return { ...page, data: page.data.map((row) => present(row, now)) }
    },

    /** @throws `not_found` */
    get,

    /** Another name; other networks take a fresh sign-in, so no key does that. @throws `not_found`, `step_up_required` */
    async update(actor: Actor, id: string, { name, ip_allow }: UpdateKey): Promise<Key> {
      const now = clock.now()
      const change = { ...(name !== undefined && { name }), ...(ip_allow !== undefined && { ipAllow: ip_allow }) }
      const fields = Object.keys(change)
      if (ip_allow !== undefined) assertFresh(actor.person, now)
      if (fields.length > 0)
        await write(actor, { action: 'key.updated', targets: [id], change: { fields } }, [
          store.update(actor.workspace.id, id, change),
          guard('not_found'),
          ...(ip_allow === undefined ? [] : [revoke(now, `key:${id}`)]),
        ])
      return get(actor, id)
    },

    /**
     * Ends a key: this node refuses it from now on. A key revoked earlier gives the same receipt, and nothing is written.
     * A key may end itself; any other takes `key:revoke`. @throws `forbidden`, `not_found`
     */
    async revoke(actor: Actor, id: string, { fence }: Fence = {}): Promise<Receipt> {
      const itself = actor.type === 'key' && actor.id === id
      if (!itself && !actor.permissions.has('key:revoke')) throw new Failure('forbidden')
      const row = await store.find(actor.workspace.id, id)
      if (!row) throw new Failure('not_found')
      return newReceipt(row.revokedAt ?? (await end(actor, id)), fence === 'all')
    },

    /** Notes a use in memory; at most once in each run of `flushUsed` it is written. */
    touch: ({ id, workspace }: Pick<KeyProof, 'id' | 'workspace'>): void => notes.note(`${workspace.id} ${id}`),
    flushUsed: () =>
      notes.flush((uses) =>
        unaudited(
          'when a key was last used changes no right',
          uses.map(([use, at]) => {
            const [workspaceId, id = ''] = use.split(' ')
            return store.used(Number(workspaceId) as WorkspaceId, id, at)
          }),
        ),
      ),
  }
}
export type KeyService = ReturnType<typeof keyService>
