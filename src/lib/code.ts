// Codes that people type: eight characters of Crockford base 32, 40 bits, shown `XXXX-XXXX`; or eight digits, 26 bits.

export type CodeFormat = 'letters' | 'digits'
/** How a code of each kind looks. */
export const shapes: Record<CodeFormat, string> = { letters: 'XXXX-XXXX', digits: '0000-0000' }

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const pattern = /^[0-9A-HJKMNP-TV-Z]{8}$/

/**
 * Eight characters from the first 40 bits of `bytes`, each from 5 of them, so uniform where the bits are; digits from 48
 * bits, uniform to one part in a million.
 */
export const newCode = (bytes: Uint8Array, format: CodeFormat): string => {
  const numberOf = (length: number) => bytes.subarray(0, length).reduce((sum, byte) => sum * 256 + byte, 0)
  if (format === 'digits') return String(numberOf(6) % 1e8).padStart(8, '0')
  const bits = numberOf(5)
  return Array.from({ length: 8 }, (_, i) => alphabet[Math.floor(bits / 32 ** (7 - i)) % 32]).join('')
}

/** `ABCD-EFGH`, for a mail. */
export const showCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** What a person typed, as `newCode` makes it (digits are among the characters): any case, spaces and hyphens anywhere, O as 0, I and L as 1. Undefined if it is no code. */
export const parseCode = (typed: string): string | undefined => {
  const code = typed.replace(/[\s-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return pattern.test(code) ? code : undefined
}
