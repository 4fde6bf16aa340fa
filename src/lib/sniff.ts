// What bytes are, by their own first bytes: a short list of pictures, sound and film, and nothing a browser could run.
// biome-ignore-all lint/suspicious/noControlCharactersInRegex: it is bytes that these read

/** Enough of a file's beginning for `sniff`. */
export const sniffBytes = 4096

export const unknownType = 'application/octet-stream'

type View = { bytes: Uint8Array; text: string }

const u32 = ({ bytes }: View, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0

const png = ({ text }: View) => text.startsWith('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR')
const jpeg = ({ text }: View) => /^\xff\xd8\xff[\xc0-\xc2\xc4\xdb\xdd\xe0-\xef\xfe]/.test(text)
const gif = ({ text }: View) => /^GIF8[79]a.{7}/s.test(text)
const riff =
  (form: string, chunks: RegExp) =>
  ({ text }: View) =>
    text.startsWith('RIFF') && text.slice(8, 12) === form && chunks.test(text.slice(12, 16))
const flac = ({ text }: View) => /^fLaC[\0\x80]\0\0\x22/.test(text)

// EBML, whose header names `webm` as its DocType (42 82, length 4). Matroska at large is not for browsers.
const webm = ({ text }: View) => text.startsWith('\x1aE\xdf\xa3') && text.slice(4, 64).includes('\x42\x82\x84webm')

/** ISO base media: the brands of the `ftyp` box, the major one first. */
const brands = (view: View): string[] => {
  const size = u32(view, 0)
  if (view.text.slice(4, 8) !== 'ftyp' || size < 16 || size > 512 || size % 4 !== 0) return []
  const names = view.text.slice(8, Math.min(size, view.text.length)).match(/.{4}/gs) ?? []
  return names.filter((_, i) => i !== 1)
}
const avif = (view: View) => /^(avif|avis)$/.test(brands(view)[0] ?? '')
const m4a = (view: View) => /^M4[AB] $/.test(brands(view)[0] ?? '')
const mp4 = (view: View) => {
  const [major, ...others] = brands(view)
  return /^(iso[2-9m]|mp4[12]|avc1|dash|M4V )$/.test(major ?? '') || (major === 'MSNV' && others.includes('mp42'))
}

/** An Ogg page that begins a stream, and the codec it names. */
const ogg =
  (codec: RegExp) =>
  ({ text }: View) =>
    /^OggS\0[\x02\x06]/.test(text) && codec.test(text.slice(27 + text.charCodeAt(26)))

// An ID3v2 tag with its syncsafe length; or a frame of layer III, followed by another where it says it ends.
const id3 = ({ text }: View) => /^ID3[\x02-\x04]\0.[\0-\x7f]{4}/s.test(text)
const rates = { 3: [44100, 48000, 32000], 2: [22050, 24000, 16000], 0: [11025, 12000, 8000] } as Record<
  number,
  number[]
>
const bitrates = {
  v1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
/** Length in bytes of the MPEG layer III frame at `at`, 0 if there is none (ISO 11172-3 §2.4.1.3). */
const frameBytes = ({ bytes }: View, at: number): number => {
  const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
  const version = (b >> 3) & 3
  if (a !== 0xff || (b & 0xe6) !== 0xe2) return 0
  const rate = rates[version]?.[(c >> 2) & 3]
  const kbits = bitrates[version === 3 ? 'v1' : 'v2'][c >> 4]
  if (!rate || !kbits) return 0
  return Math.floor(((version === 3 ? 144_000 : 72_000) * kbits) / rate) + ((c >> 1) & 1)
}
const mp3 = (view: View) => {
  const first = frameBytes(view, 0)
  return id3(view) || (first > 0 && frameBytes(view, first) > 0)
}

const types: readonly [string, (view: View) => boolean][] = [
  ['image/png', png],
  ['image/jpeg', jpeg],
  ['image/gif', gif],
  ['image/webp', riff('WEBP', /^VP8[ LX]$/)],
  ['image/avif', avif],
  ['video/mp4', mp4],
  ['video/webm', webm],
  ['audio/mpeg', mp3],
  ['audio/mp4', m4a],
  ['audio/ogg', ogg(/^(\x01vorbis|OpusHead|\x7fFLAC|Speex)/)],
  ['video/ogg', ogg(/^\x80theora/)],
  ['audio/wav', riff('WAVE', /^(fmt |JUNK|bext|LIST)$/)],
  ['audio/flac', flac],
]

// What a reader of another kind would look for: a file that is two things at once is served as neither.
const disguised = /<(?:!doctype|html|head|body|script|svg|iframe)[\s>/]|%PDF-\d|PK\x03\x04/i

/** The media type of a file that begins with `head` (up to `sniffBytes`), if it may be shown in a page; else `unknownType`. */
export const sniff = (head: Uint8Array): string => {
  const view: View = {
    bytes: head,
    text: Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1'),
  }
  if (disguised.test(view.text)) return unknownType
  return types.find(([, matches]) => matches(view))?.[0] ?? unknownType
}

/** Whether a type is one that `sniff` recognises, and may be shown in a page instead of being saved. */
export const isInline = (type: string): boolean => types.some(([name]) => name === type)
