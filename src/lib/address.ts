// Mail addresses as people type them: which we accept, and the one spelling each is known by.
import { Failure } from '../errors'

/** `exact` is identity. `mailbox` also folds `+tag` and Gmail's dots: whose inbox it is, for budgets only. */
export type Address = { exact: string; mailbox: string }

const maxLength = 254
const maxLocalLength = 64
// Dot-atom of RFC 5322 §3.2.3, ASCII, without the braces.
const local = /^[\w!#$%&'*+/=?^`|~-]+(\.[\w!#$%&'*+/=?^`|~-]+)*$/
// Characters that change nothing one can see, and so would let two spellings look the same.
const unseen = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u
const domainCharacters = /^[a-zA-Z0-9.\u0080-\u{10ffff}-]+$/u
// RFC 1123 labels, two or more; the last is no number, so that no form of an IP address passes.
const domain = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** A-label form of a domain (UTS 46, as WHATWG URL does it on every runtime), or undefined. */
const toALabel = (text: string): string | undefined => {
  if (!domainCharacters.test(text)) return undefined
  try {
    const host = new URL(`http://${text}`).hostname
    return domain.test(host) ? host : undefined
  } catch {
    return undefined
  }
}

const foldMailbox = (name: string, host: string): string => {
  const untagged = name.split('+')[0] || name
  if (host !== 'gmail.com' && host !== 'googlemail.com') return `${untagged}@${host}`
  return `${untagged.replaceAll('.', '')}@gmail.com`
}

/**
 * Reads an address: trimmed, an ASCII dot-atom before the `@`, a domain of at least two labels after it, lower case.
 * No quoted names, comments, IP literals or characters that NFKC would turn into others.
 * @throws Failure `invalid` for the field `email`, without what was given.
 */
export const parseAddress = (text: string): Address => {
  const address = text.trim()
  const [name = '', host = '', ...more] = address.length > maxLength || unseen.test(address) ? [] : address.split('@')
  const ascii = more.length === 0 && address === address.normalize('NFKC') ? toALabel(host) : undefined
  const lower = name.toLowerCase()
  const exact = `${lower}@${ascii}`
  if (!ascii || !local.test(lower) || lower.length > maxLocalLength || exact.length > maxLength)
    throw new Failure('invalid', 'This is not an address that mail can be sent to.', { extra: { field: 'email' } })
  return { exact, mailbox: foldMailbox(lower, ascii) }
}
