// Reads the mails we send (RFC 2045, 2047, 5322) far enough to look at their headers and both bodies.

const decoded = (encoding: string | undefined, text: string): string => {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString()
  if (encoding !== 'quoted-printable') return text
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

const encodedWord = /=\?utf-8\?([bq])\?([^?]*)\?=/gi
const decodeWords = (text: string): string =>
  text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(encodedWord, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b' ? decoded('base64', word) : decoded('quoted-printable', word.replaceAll('_', ' ')),
    )

type Part = { headers: readonly (readonly [name: string, value: string])[]; body: string }

const split = (raw: string): Part => {
  const end = raw.indexOf('\r\n\r\n')
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim())] as const
  })
  return { headers, body: raw.slice(end + 4) }
}

const headerOf = ({ headers }: Part, name: string) => headers.find(([n]) => n === name)?.[1]

/** `header`: a value by its name in lower case; `headerNames`: every header there is, in order. */
export const readMail = (raw: string) => {
  const whole = split(raw)
  const boundary = /boundary="([^"]+)"/.exec(headerOf(whole, 'content-type') ?? '')?.[1]
  const parts = boundary
    ? whole.body
        .split(`--${boundary}`)
        .slice(1, -1)
        .map((part) => split(part.slice(2)))
    : [whole]
  const bodyOf = (type: string) => {
    const part = parts.find((p) => headerOf(p, 'content-type')?.startsWith(type))
    return part ? decoded(headerOf(part, 'content-transfer-encoding'), part.body).replace(/\r\n$/, '') : ''
  }
  return {
    raw,
    header: (name: string) => headerOf(whole, name),
    headerNames: whole.headers.map(([name]) => name),
    subject: headerOf(whole, 'subject') ?? '',
    text: bodyOf('text/plain').replaceAll('\r\n', '\n'),
    html: bodyOf('text/html').replaceAll('\r\n', '\n'),
  }
}
