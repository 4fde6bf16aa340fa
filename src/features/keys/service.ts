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
import { type Held, revoke } from '../../revocation'
import { assertFresh } from '../../step-up'
import { demand, guard, type Unaudited, type Write } from '../../write'
import type { CreateKey, Key, NewKey, Receipt, RenameKey } from './model'
import { type KeyRow, keyStore } from './store'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  keyring: Keyring
  /** What tokens start with, `ml`. */
  prefix: string
  /** The longest that another node may still take what was just revoked here, and whether all have it already. */
  otherNodes: () => { boundMs: number; confirmed: boolean }
}

/** What a key says of itself, once proved. `projects` null means all; `expiresAt` is an instant (ms). */
export type KeyProof = {
  id: string
  workspace: Actor['workspace']
  level: Level
  environment: Environment
  projects: readonly string[] | null
  expiresAt: number | null
}

const present = (row: KeyRow, now: number): Key => ({
  id: row.id,
  name: row.name,
  hint: row.hint,
  level: row.level,
  environment: row.environment,
  projects: row.projects,
  status: row.revokedAt !== null ? 'revoked' : row.expiresAt !== null && row.expiresAt <= now ? 'expired' : 'active',
  created_at: rfc3339(row.createdAt),
  last_used_at: rfc3339OrNull(row.lastUsedAt),
  expires_at: rfc3339OrNull(row.expiresAt),
})

export const keyService = ({ db, write, unaudited, clock, keyring, prefix, otherNodes }: Deps) => {
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

  return {
    /**
     * A new key of the actor's workspace, with its token, which is not kept and never shown again.
     * @throws `step_up_required`; `not_found` for a project the actor may not enter; `invalid` for an expiry in the past.
     */
    async create(actor: Actor, { name, level, environment, ...input }: CreateKey): Promise<NewKey> {
      const [now, projects, expiresAt] = [clock.now(), input.projects ?? null, input.expires_at ?? null]
      assertFresh(actor.person, now)
      if (expiresAt !== null && expiresAt <= now) throw new Failure('invalid', 'expires_at has passed')
      if (projects?.some((id) => !actor.projects.includes(id))) throw new Failure('not_found')
      const token = newKeyToken(prefix, environment)
      const { kid, key: pepper } = keyring.current('pepper')
      const row = {
        ...{ id: newId('key'), workspaceId: actor.workspace.id, name, level, environment, projects },
        ...{ kid, tokenHash: keyedHash(pepper, token), hint: hintOf(token) },
        ...{ createdBy: actor.id, createdAt: now, expiresAt, lastUsedAt: null, revokedAt: null },
      }
      const change = { level, environment, projects, expires_at: rfc3339OrNull(expiresAt) }
      await write(actor, { action: 'key.created', targets: [row.id], change }, [
        demand(store.hasRole(actor.workspace.id, actor.id, actor.role), 'forbidden'),
        ...(projects === null ? [] : [demand(store.hasProjects(actor.workspace.id, projects), 'not_found')]),
        store.insert(row),
      ])
      return { ...present(row, now), token }
    },

    /** Whose key a token is; null for anything unknown, revoked or expired. Nonsense costs no look-up. */
    async prove(token: string): Promise<Held<KeyProof> | null> {
      if (parseKeyToken(prefix, token) === null) return null
      for (const { key: pepper } of keyring.all('pepper')) {
        const row = await store.locate(keyedHash(pepper, token))
        if (!row) continue
        const { id, level, environment, projects, expiresAt } = row
        if (row.revokedAt !== null || (expiresAt !== null && expiresAt <= clock.now())) return null
        const workspace = { id: row.workspaceId, publicId: row.workspacePublicId, name: row.workspaceName }
        return {
          value: { id, workspace, level, environment, projects, expiresAt },
          subjects: [`key:${id}`, `workspace:${workspace.publicId}`],
          expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
        }
      }
      return null
    },

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

    /** @throws `not_found` */
    async rename(actor: Actor, id: string, { name }: RenameKey): Promise<Key> {
      await write(actor, { action: 'key.updated', targets: [id], change: { fields: ['name'] } }, [
        store.rename(actor.workspace.id, id, name),
        guard('not_found'),
      ])
      return get(actor, id)
    },

    /**
     * Ends a key: this node refuses it from now on. A key revoked earlier gives the same receipt, and nothing is written.
     * A key may end itself; any other takes `key:revoke`. @throws `forbidden`, `not_found`
     */
    async revoke(actor: Actor, id: string): Promise<Receipt> {
      const itself = actor.type === 'key' && actor.id === id
      if (!itself && !actor.permissions.has('key:revoke')) throw new Failure('forbidden')
      const row = await store.find(actor.workspace.id, id)
      if (!row) throw new Failure('not_found')
      const revokedAt = row.revokedAt ?? (await end(actor, id))
      const { boundMs, confirmed } = otherNodes()
      return {
        revoked_at: rfc3339(revokedAt),
        this_node: 'immediate',
        other_nodes: { bound_ms: boundMs, confirmed },
      }
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
