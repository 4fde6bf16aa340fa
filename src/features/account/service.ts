// A person's own account: who they are, what they may change, and whoami for any caller.
import type { Addresses } from '../../addresses'
import { Failure } from '../../errors'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import { type Actor, listPermissions, ofPerson, type Person } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import type { Write } from '../../write'
import { guard } from '../../write'
import { locales, type Me, type UpdateMe, type User, type Whoami } from './model'
import { type UserRow, userStore } from './store'

type Deps = {
  db: Database
  write: Write
  clock: Clock
  addresses: Addresses
  workspacesOf: (userId: string) => Promise<Me['workspaces']>
}

const localeOf = (text: string): User['locale'] => locales.find((l) => l === text) ?? 'en'

export const accountService = ({ db, write, clock, addresses, workspacesOf }: Deps) => {
  const store = userStore(db)

  const present = (row: UserRow): User => ({
    id: row.id,
    email: addresses.open(row.addressSealed, row.id),
    name: row.name,
    locale: localeOf(row.locale),
    created_at: rfc3339(row.createdAt),
  })

  return {
    /** The user of an exact address, if there is one. */
    async findByAddress(exact: string): Promise<User | undefined> {
      const row = await store.byAddress(addresses.hash(exact))
      return row && present(row)
    },

    /** A new user of a proved address, with the statement that makes it; `conflict` where another request was sooner. */
    newUser(exact: string, locale: string): { user: User; statement: Statement } {
      const id = newId('usr')
      const row = {
        ...{ id, name: null, locale: localeOf(locale), createdAt: clock.now() },
        ...{ addressHash: addresses.hash(exact), addressSealed: addresses.seal(exact, id) },
      }
      return { user: present(row), statement: { ...store.insert(row), orElse: new Failure('conflict') } }
    },

    /** The person and their workspaces. */
    async get(person: Person): Promise<Me> {
      const row = await store.byId(person.id)
      if (!row) throw new Failure('unauthenticated')
      return { ...present(row), workspaces: await workspacesOf(person.id) }
    },

    /** Changes name or locale. */
    async update(person: Person, { name, locale }: UpdateMe): Promise<Me> {
      const change = { ...(name !== undefined && { name }), ...(locale && { locale }) }
      const fields = Object.keys(change)
      if (fields.length > 0)
        await write(person, { action: 'user.updated', targets: [person.id], userId: person.id, change: { fields } }, [
          store.update(person.id, change),
          guard('not_found'),
        ])
      return this.get(person)
    },

    /** Who is asking, where, and what they may do there. */
    whoami(person: Person | undefined, actor: Actor | undefined): Whoami {
      const who = actor ?? person
      if (!who) throw new Failure('unauthenticated')
      return {
        actor: { type: who.type, id: who.id },
        workspace: actor ? { id: actor.workspace.publicId, name: actor.workspace.name, role: actor.role } : null,
        project: actor?.project ?? null,
        permissions: [...listPermissions(actor?.permissions ?? ofPerson)],
        environment: actor?.environment ?? null,
      }
    },
  }
}
export type AccountService = ReturnType<typeof accountService>
