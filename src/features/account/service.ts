// A person's own account: who they are, what they may change, and whoami for any caller.

import { Failure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import { type Actor, listPermissions, ofPerson, type Person } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { assertFresh, isFresh } from '../../step-up'
import { guard, type Unaudited, type Write } from '../../write'
import type { StartedChallenge } from '../auth/model'
import { addressChanges } from './addresses'
import { type ChangeEmail, type Export, locales, type Me, type UpdateMe, type User, type Whoami } from './model'
import { type UserRow, userStore } from './store'

type Ask = (person: Person, purpose: 'email-change' | 'account-deletion', email?: string) => Promise<StartedChallenge>
type Deps = Parameters<typeof addressChanges>[0] & {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  addresses: Addresses
  workspacesOf: (userId: string) => Promise<Me['workspaces']>
  /** Asks for a proof that this session alone can redeem. */
  ask: Ask
  erase: (person: Person) => Promise<void>
  /** What the other features hold about a person. */
  heldElsewhere: (person: Person) => Promise<Omit<Export, 'user' | 'former_addresses'>>
}

/** Whoever calls, without what is of one request: one object for as long as what is known of them is kept. */
type Caller = Omit<Actor, 'origin' | 'person'> | Omit<Person, 'origin'>

const localeOf = (text: string): User['locale'] => locales.find((l) => l === text) ?? 'en'

export const accountService = (deps: Deps) => {
  const { db, write, clock, addresses, workspacesOf } = deps
  const store = userStore(db)
  const said = new WeakMap<Caller, Whoami>()

  const present = (row: UserRow): User => ({
    id: row.id,
    email: addresses.open(row.addressSealed, row.id),
    name: row.name,
    locale: localeOf(row.locale),
    created_at: rfc3339(row.createdAt),
  })

  const get = async (person: Person): Promise<Me> => {
    const row = await store.byId(person.id)
    if (!row) throw new Failure('unauthenticated')
    return { ...present(row), workspaces: await workspacesOf(person.id) }
  }

  return {
    ...addressChanges(deps, present),

    /** The user of an exact address, if there is one. */
    async findByAddress(exact: string): Promise<User | undefined> {
      const row = await store.byAddress(addresses.hash(exact))
      return row && present(row)
    },

    /** Fails its batch with `conflict` where the address is the user's no more. */
    demandAddress: (userId: string, exact: string): Statement => store.hasAddress(userId, addresses.hash(exact)),

    /** A new user of a proved address, with the statements that make it; `conflict` where another request was sooner. */
    newUser(exact: string, locale: string): { user: User; statements: Statement[] } {
      const id = newId('usr')
      const row = {
        ...{ id, name: null, locale: localeOf(locale), createdAt: clock.now() },
        ...{ addressHash: addresses.hash(exact), addressSealed: addresses.seal(exact, id) },
      }
      const insert = { ...store.insert(row), orElse: new Failure('conflict') }
      return { user: present(row), statements: [store.isFree(row.addressHash, row.createdAt, id), insert] }
    },

    /** The person and their workspaces. */
    get,

    /** Changes name or locale. */
    async update(person: Person, { name, locale }: UpdateMe): Promise<Me> {
      const change = { ...(name !== undefined && { name }), ...(locale && { locale }) }
      const fields = Object.keys(change)
      if (fields.length > 0)
        await write(person, { action: 'user.updated', targets: [person.id], userId: person.id, change: { fields } }, [
          store.update(person.id, change),
          guard('not_found'),
        ])
      return get(person)
    },

    /** Where mail to a user goes, and in which language; undefined once there is no such user. */
    async mailboxOf(userId: string): Promise<{ to: string; locale: string } | undefined> {
      const row = await store.byId(userId)
      return row && { to: addresses.open(row.addressSealed, row.id), locale: row.locale }
    },

    addressHashOf: async (userId: string): Promise<string | undefined> => (await store.byId(userId))?.addressHash,

    /** Asks the mailbox `email` for its proof; the person's own was proved by the sign-in. @throws `step_up_required` */
    async changeEmail(person: Person, { email }: ChangeEmail): Promise<StartedChallenge> {
      assertFresh(person, clock.now())
      return deps.ask(person, 'email-change', email)
    },

    /**
     * Ends the account at once after a fresh sign-in (null); otherwise asks the mailbox first, and its proof is the end.
     * @throws `conflict` for the last admin of a workspace that others are in.
     */
    async delete(person: Person): Promise<StartedChallenge | null> {
      if (!isFresh(person, clock.now())) return deps.ask(person, 'account-deletion')
      await deps.erase(person)
      return null
    },

    /** All that is held about the person. @throws `step_up_required` */
    async export(person: Person): Promise<Export> {
      assertFresh(person, clock.now())
      const { workspaces: _, ...user } = await get(person)
      const [former, elsewhere] = await Promise.all([store.formerOf(person.id), deps.heldElsewhere(person)])
      return {
        user,
        former_addresses: former.map((row) => ({
          email: addresses.open(row.addressSealed, row.id),
          changed_at: rfc3339(row.createdAt),
        })),
        ...elsewhere,
      }
    },

    /** Forgets former addresses that can no longer be taken back. */
    sweep: () => deps.unaudited('nothing can be taken back any more', [store.removeFormerBefore(clock.now())]),

    /** Who is asking, where, and what they may do there. */
    whoami(who: Caller): Whoami {
      const known = said.get(who)
      if (known) return known
      const actor = 'workspace' in who ? who : null
      const project = actor?.project ?? null
      const whoami = Object.freeze({
        actor: { type: who.type, id: who.id },
        workspace: actor && { id: actor.workspace.publicId, name: actor.workspace.name, role: actor.role },
        project: project && { id: project.id, slug: project.slug },
        permissions: [...listPermissions(actor?.permissions ?? ofPerson)],
        environment: actor?.environment ?? null,
      })
      said.set(who, whoami)
      return whoami
    },
  }
}
export type AccountService = ReturnType<typeof accountService>
