// Mail addresses at rest: found by keyed hash, kept encrypted, tied to the row they stand in.
import type { Keyring } from '../keyring'
import { keyedHash, seal, unseal } from '../lib/crypto'

export const createAddresses = (keyring: Keyring) => {
  const index = keyring.current('index').key

  return {
    /** Keyed hash of an exact address: identity. */
    hash: (exact: string): string => keyedHash(index, 'exact', exact),
    /** Keyed hash of a canonical mailbox: for budgets only. */
    hashMailbox: (mailbox: string): string => keyedHash(index, 'mailbox', mailbox),
    /** Keyed hash of whoever asks over the network: for budgets only. */
    hashClient: (subscriber: string): string => keyedHash(index, 'client', subscriber),
    /** Encrypts an address for the row `place`; moved to another row it does not open. */
    seal: (exact: string, place: string): string => {
      const { kid, key } = keyring.current('address')
      return `${kid}.${seal(key, exact, place)}`
    },
    /** @throws Error if it was altered, moved, or its key is unknown. */
    open: (sealed: string, place: string): string => {
      const [kid = '', body = ''] = sealed.split('.')
      const key = keyring.find('address', kid)
      if (!key) throw new Error('an address is encrypted under a key that this instance does not have')
      return new TextDecoder().decode(unseal(key, body, place))
    },
  }
}
export type Addresses = ReturnType<typeof createAddresses>
