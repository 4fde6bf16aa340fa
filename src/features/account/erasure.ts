// The end of an account: everything that is the person's own goes in one batch; the audit keeps ids.

import { Failure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import type { Person } from '../../permissions'
import type { Database, Statement } from '../../ports'
import type { Event, Write } from '../../write'
import { userStore } from './store'

type Leaving = { id: string; addressHash: string }
/** What another feature holds of a person, as the statements that end it. @throws `conflict` where it may not end */
type Ending = (leaving: Leaving) => Statement[] | Promise<Statement[]>

type Deps = {
  db: Database
  write: Write
  addresses: Addresses
  endings: readonly Ending[]
  enqueueMail: (template: 'account-deleted', about: string, locale: string) => Statement
}

const place = 'account-deleted'

export const accountErasure = ({ db, write, addresses, endings, enqueueMail }: Deps) => {
  const store = userStore(db)

  const part = async ({ id }: Person): Promise<{ statements: Statement[]; events: Event[] }> => {
    const row = await store.byId(id)
    if (!row) throw new Failure('unauthenticated')
    const told = addresses.seal(addresses.open(row.addressSealed, id), place)
    const ended = await Promise.all(endings.map((end) => end(row)))
    return {
      statements: [enqueueMail('account-deleted', told, row.locale), ...ended.flat(), ...store.remove(id)],
      events: [{ action: 'user.deleted', targets: [id], userId: id }],
    }
  }

  return {
    /** What ends the account, for the batch that claims the proof. @throws `conflict` for the last admin among others */
    part,
    /** Ends it now. */
    async erase(person: Person): Promise<void> {
      const { events, statements } = await part(person)
      await write(person, events, statements)
    },
    /** Whom the last mail goes to; it carries the address itself, since nothing else does any more. */
    mailOf: (told: string, at: number) => ({ to: addresses.open(told, place), link: null, at }),
  }
}
