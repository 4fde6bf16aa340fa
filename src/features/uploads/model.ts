// What crosses the wire on the way in: the headers of uploads, and how one that goes on later is described.
import { z } from 'zod'
import { idOf, isId } from '../../lib/id'
import { unknownType } from '../../lib/sniff'
import { FileName } from '../media/model'

const mediaType = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?=\s*(?:;|$))/
export const declaredType = (text: string): string => mediaType.exec(text)?.[0].toLowerCase() ?? unknownType
const Count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

const sha256 = '([A-Za-z0-9+/]{43}=)'
const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex')

// A header's bytes arrive one a character: UTF-8 sent as it is would be kept as other letters.
const decodeName = (text: string, context: z.RefinementCtx): string => {
  try {
    if (/[\x80-\xff]/.test(text)) throw new URIError('not ASCII')
    return decodeURIComponent(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'Not percent-encoded UTF-8' })
    return z.NEVER
  }
}

/** A digest the sender gives beforehand, as hex; other algorithms than SHA-256 are not looked at. */
const digest = (named: RegExp, whole: RegExp) =>
  z
    .string()
    .optional()
    .transform((text, context): string | null => {
      if (text === undefined || !named.test(text)) return null
      const found = whole.exec(text)?.[1]
      if (found === undefined) context.addIssue({ code: 'custom', message: 'Not a SHA-256 in base64' })
      return found === undefined ? z.NEVER : hex(found)
    })

/** Headers of a raw upload, as what they mean. */
export const RawHeaders = z
  .object({
    'x-file-name': z.string().max(4000).default('untitled').transform(decodeName).pipe(FileName),
    'content-type': z.string().default(unknownType),
    'content-length': Count.optional(),
    'content-encoding': z.string().default('identity'),
    /** RFC 9530, `sha-256=:…:`; and the tus form, `sha256 …`. */
    'content-digest': digest(/(?:^|,)\s*sha-256\s*=/, new RegExp(`(?:^|,)\\s*sha-256=:${sha256}:\\s*(?:,|$)`)),
    'upload-checksum': digest(/^sha256\b/, new RegExp(`^sha256 ${sha256}$`)),
  })
  .transform((h) => ({
    name: h['x-file-name'],
    declaredType: declaredType(h['content-type']),
    bytes: h['content-length'] ?? null,
    encoding: h['content-encoding'],
    /** The Content-Type of a form, with its boundary; null for the file itself. */
    form: /^multipart\/form-data\b/i.test(h['content-type']) ? h['content-type'] : null,
    sha256: [h['content-digest'], h['upload-checksum']].filter((d) => d !== null),
  }))
export type RawHeaders = z.output<typeof RawHeaders>

// Upload-Metadata of tus 1.0: `key value, key value`, the value in base64 or absent. Each pair is looked at by itself: one
// pattern for all of them finds too many ways to read a blank, and tries each.
const onePair = /^[\x21-\x2b\x2d-\x7e]+(?: [A-Za-z0-9+/]*={0,2})?$/
const pairsOf = (metadata: string): string[] => metadata.split(',').map((pair) => pair.trim())
const Metadata = z
  .string()
  .max(4096, { abort: true })
  .refine((text) => pairsOf(text).every((pair) => onePair.test(pair)), 'Not pairs of a key and base64')
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What is known by a name there, as text. */
const said = (metadata: string, name: string, context: z.RefinementCtx): string | undefined => {
  const value = pairsOf(metadata).find((pair) => pair === name || pair.startsWith(`${name} `))
  if (value === undefined) return undefined
  try {
    return utf8.decode(Buffer.from(value.slice(name.length + 1), 'base64'))
  } catch {
    context.addIssue({ code: 'custom', message: 'Not UTF-8' })
    return z.NEVER
  }
}

const chunkType = 'application/offset+octet-stream'
const checksum = z
  .string()
  .regex(/^[\x21-\x7e]{1,32} [A-Za-z0-9+/]{1,128}={0,2}$/)
  .transform((text): Checksum => {
    const [algorithm = '', digest = ''] = text.split(' ')
    return { algorithm, digest }
  })
/** `digest` in base64. */
export type Checksum = { algorithm: string; digest: string }

const bodyOf = z.object({
  'content-type': z.string().optional(),
  'content-length': Count.optional(),
  'upload-checksum': checksum.optional(),
})
const presentBody = (h: z.output<typeof bodyOf>) => ({
  isChunk: h['content-type'] === chunkType,
  bytes: h['content-length'] ?? null,
  checksum: h['upload-checksum'] ?? null,
})

/** Headers that begin an upload. */
export const CreateHeaders = bodyOf
  .extend({
    'upload-length': Count,
    'upload-metadata': Metadata.or(z.literal(''))
      .optional()
      .transform((text, context) => ({
        text: text ?? '',
        name: said(text ?? '', 'filename', context) ?? 'untitled',
        type: said(text ?? '', 'filetype', context) ?? '',
        replaces: said(text ?? '', 'media_id', context) ?? null,
      })),
  })
  .transform(({ 'upload-length': length, 'upload-metadata': { text, name, type, replaces }, ...rest }, context) => {
    const checked = FileName.safeParse(name)
    if (!checked.success)
      context.addIssue({ code: 'custom', message: 'filename: not a name', path: ['upload-metadata'] })
    if (replaces !== null && !isId('med', replaces))
      context.addIssue({ code: 'custom', message: 'media_id: not the id of a file', path: ['upload-metadata'] })
    const file = { name: checked.data ?? '', declaredType: declaredType(type), replaces }
    return { length, metadata: text, ...file, ...presentBody(rest) }
  })
export type CreateHeaders = z.output<typeof CreateHeaders>

/** Headers that go on with one. */
export const AppendHeaders = bodyOf
  .extend({ 'upload-offset': Count })
  .transform(({ 'upload-offset': offset, ...rest }) => ({ offset, ...presentBody(rest) }))
export type AppendHeaders = z.output<typeof AppendHeaders>

export const UploadParams = z.strictObject({ id: idOf('upl') })

export const Upload = z.object({
  id: z.string(),
  project_id: z.string(),
  name: z.string(),
  length: z.number(),
  /** How many of its bytes are durable: where to go on. */
  offset: z.number(),
  created_at: z.string(),
  /** When it is forgotten, unless more comes. */
  expires_at: z.string(),
  /** The file it became; null until all of it came. */
  media_id: z.string().nullable(),
})
export type Upload = z.infer<typeof Upload>
