// The one table of strings, put together from its parts. A further language is a further column.
import { accessStrings } from './access'
import { accountStrings } from './account'
import { errorStrings } from './errors'
import { inboxStrings } from './inbox'
import { mediaStrings } from './media'
import { overviewStrings } from './overview'
import { peopleStrings } from './people'
import { shellStrings } from './shell'
import { signInStrings } from './sign-in'

export const strings = {
  ...{ ...shellStrings, ...signInStrings, ...accountStrings, ...errorStrings, ...inboxStrings },
  ...{ ...overviewStrings, ...peopleStrings, ...accessStrings, ...mediaStrings },
}

export type Row = { en: string; zh: string }
export type Locale = keyof Row
export type Key = keyof typeof strings

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never
type Names<K extends Key> = Placeholders<(typeof strings)[K]['en']>

/** What `t` takes besides the key: nothing, or a value for each placeholder of the English text. */
export type Values<K extends Key> = [Names<K>] extends [never] ? [] : [values: Record<Names<K>, string | number>]
