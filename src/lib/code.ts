// Codes that people type: Crockford base 32, 8 characters, 40 bits, shown `XXXX-XXXX`.

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const pattern = /^[0-9A-HJKMNP-TV-Z]{8}$/

/** Eight characters from the first 40 bits of `bytes`, each character from 5 bits, so uniform where the bits are. */
export const newCode = (bytes: Uint8Array): string => {
  const bits = bytes.subarray(0, 5).reduce((sum, byte) => sum * 256 + byte, 0)
  return Array.from({ length: 8 }, (_, i) => alphabet[Math.floor(bits / 32 ** (7 - i)) % 32]).join('')
}

/** `ABCD-EFGH`, for a mail. */
export const showCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** What a person typed, as `newCode` makes it: any case, spaces and hyphens anywhere, O as 0, I and L as 1. Undefined if it is no code. */
export const parseCode = (typed: string): string | undefined => {
  const code = typed.replace(/[\s-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  return pattern.test(code) ? code : undefined
}
