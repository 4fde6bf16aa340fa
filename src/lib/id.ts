// Public ids: a prefix that says the kind, and 22 base-62 characters, 130 random bits.
import { z } from 'zod'

/** The alphabet of everything we make up, in this order. */
export const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
export type IdKind =
  | 'usr'
  | 'ses'
  | 'wsp'
  | 'prj'
  | 'key'
  | 'med'
  | 'chl'
  | 'evt'
  | 'out'
  | 'inv'
  | 'dev'
  | 'adr'
  | 'lnk'
  | 'upl'

/** `length` uniformly random base-62 characters (log2(62) bits each), by rejection from the system's generator. */
export const randomBase62 = (length: number): string => {
  let out = ''
  while (out.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      if (byte < 248 && out.length < length) out += base62[byte % 62]
    }
  }
  return out
}

/** A new public id, e.g. `usr_…`. */
export const newId = (kind: IdKind): string => `${kind}_${randomBase62(22)}`

/** Whether `text` has the shape of an id of that kind; nothing else is ever looked up. */
export const isId = (kind: IdKind, text: unknown): text is string =>
  typeof text === 'string' && text.length === 26 && text.startsWith(`${kind}_`) && /^[0-9A-Za-z]+$/.test(text.slice(4))

/** The id of a thing of that kind, as it crosses the wire. */
export const idOf = (kind: IdKind) => z.string().refine((id) => isId(kind, id), `Not an id that begins with ${kind}_`)
