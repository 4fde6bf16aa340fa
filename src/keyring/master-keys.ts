// The master keys: they wrap the program's own keys and do nothing else, so that changing them loses nothing.
import { seal, unseal } from '../lib/crypto'

export type Key = Readonly<{ kid: string; key: Uint8Array }>
/** The first is current; the others only open what they wrapped. Never empty. */
export type MasterKeys = readonly Key[]

const keyBytes = 32

/** Reads `kid:base64 of 32 bytes,…`. @throws Error, as a sentence that says which entry is wrong and repeats none. */
export const parseMasterKeys = (text: string): MasterKeys => {
  const keys = text.split(',').map((entry, i) => {
    const [, kid, encoded = ''] = /^\s*([\w-]{1,32}):([\w+/-]{43}=?)\s*$/.exec(entry) ?? []
    const key = new Uint8Array(Buffer.from(encoded, 'base64'))
    if (!kid || key.length !== keyBytes) throw new Error(`Master key ${i + 1} is not kid:base64 of ${keyBytes} bytes.`)
    return { kid, key }
  })
  if (new Set(keys.map((k) => k.kid)).size < keys.length) throw new Error('Two master keys have the same kid.')
  return keys
}

type Place = readonly (string | number)[]

/**
 * Wraps keys of one instance under the current master key: `<kid of the master>.<sealed>`. `place` ties each to where it
 * is kept.
 */
export const createWrapper = (masters: MasterKeys, instance: string) => {
  const current = masters[0]!
  const kidOf = (wrapped: string) => wrapped.slice(0, wrapped.indexOf('.'))
  const aadOf = (place: Place) => JSON.stringify([instance, ...place])

  return {
    currentKid: current.kid,
    wrap: (key: Uint8Array, place: Place): string => `${current.kid}.${seal(current.key, key, aadOf(place))}`,
    /** Whether the current master key wrapped it. */
    isCurrent: (wrapped: string): boolean => kidOf(wrapped) === current.kid,
    /** @throws Error, as a sentence for the operator, when its master key is not given or does not open it. */
    unwrap: (wrapped: string, place: Place): Uint8Array => {
      const kid = kidOf(wrapped)
      const master = masters.find((m) => m.kid === kid)
      if (!master) throw new Error(`This database needs the master key "${kid}": add it to LATCHKEY_MASTER_KEYS.`)
      try {
        return unseal(master.key, wrapped.slice(kid.length + 1), aadOf(place))
      } catch {
        throw new Error(`The master key "${kid}" does not open this database: it is another one of that name.`)
      }
    },
  }
}
export type Wrapper = ReturnType<typeof createWrapper>
