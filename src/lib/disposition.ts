// Content-Disposition (RFC 6266) with the name in both its forms: plain ASCII, and UTF-8 as RFC 8187 writes it.

// Controls and direction marks, which could break the field or make an extension read backwards; and what quoting needs.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const notPlain = /[^\x20-\x7e]|["\\%]/gu

const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

/** The field's value. `name` may hold anything: what could harm is replaced by `_`, and so are folders. */
export const contentDisposition = (kind: 'inline' | 'attachment', name: string): string => {
  const safe = name.toWellFormed().replace(hidden, '_').replace(/[/\\]/g, '_') || 'file'
  const plain = safe.replace(notPlain, '_')
  const field = `${kind}; filename="${plain}"`
  return plain === safe ? field : `${field}; filename*=UTF-8''${encodeURIComponent(safe).replace(/['()*]/g, percent)}`
}
