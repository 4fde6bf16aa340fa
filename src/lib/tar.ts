// Tar archives as POSIX.1-1988 (ustar) describes them, written as they go: a header, the bytes, and zeros to a full block.

const block = 512
const largestOctal = 8 ** 11
const ascii = new TextEncoder()

/** Two blocks of zeros: the end of an archive. */
export const tarEnd = (): Uint8Array<ArrayBuffer> => new Uint8Array(2 * block)

/** What fills the last block of an entry of `size` bytes. */
export const tarPadding = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array((block - (size % block)) % block)

/**
 * The header of a file that anybody may read. `name`: 1 to 100 letters of ASCII; `modifiedAt` in ms. Sizes from 8 GiB on are
 * written in base 256, as GNU tar began and every reader since takes. @throws Error for any other name
 */
export const tarHeader = (name: string, size: number, modifiedAt: number): Uint8Array<ArrayBuffer> => {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new Error('not a name for an archive')
  const header = new Uint8Array(block)
  const put = (at: number, text: string) => header.set(ascii.encode(text), at)
  const octal = (at: number, digits: number, value: number) => put(at, value.toString(8).padStart(digits, '0'))
  put(0, name)
  octal(100, 7, 0o644)
  octal(108, 7, 0)
  octal(116, 7, 0)
  if (size < largestOctal) octal(124, 11, size)
  else {
    header[124] = 0x80
    for (let at = 135, rest = size; rest > 0; at--, rest = Math.floor(rest / 256)) header[at] = rest % 256
  }
  octal(136, 11, Math.max(0, Math.floor(modifiedAt / 1000)))
  put(156, '0')
  put(257, 'ustar\u000000')
  // The sum counts its own field as blanks.
  header.fill(0x20, 148, 156)
  octal(
    148,
    6,
    header.reduce((sum, byte) => sum + byte, 0),
  )
  header[154] = 0
  return header
}
