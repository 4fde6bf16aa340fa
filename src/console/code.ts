// The code of a mail while a person types or pastes it: shown as `XXXX-XXXX` from the first character on.
import { parseCode } from '../lib/code'

const shown = /\b[0-9a-z]{4}-[0-9a-z]{4}\b/i

/** The code's characters in any text, at most eight, as `lib/code` reads them; everything else is left out. */
const characters = (text: string): string =>
  text
    .toUpperCase()
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
    .replace(/[^0-9A-HJKMNP-TV-Z]/g, '')
    .slice(0, 8)

/** As it stands in the field. A code inside a pasted sentence is found. */
export const formatCode = (text: string): string => {
  const code = characters(shown.exec(text)?.[0] ?? text)
  return code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4)}` : code
}

/** Whether nothing is missing. */
export const isComplete = (text: string): boolean => parseCode(text) !== undefined

/** Where the caret belongs in the formatted text: after as many of the code's characters as are before it now. */
export const caretAfter = (before: string): number => {
  const count = characters(before).length
  return count > 4 ? count + 1 : count
}
