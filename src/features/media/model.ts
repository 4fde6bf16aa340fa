// What crosses the wire about media: the headers of an upload, and a file's description. Its bytes have no shape here.
import { z } from 'zod'
import { isId } from '../../lib/id'
import { listOf } from '../../lib/page'
import { unknownType } from '../../lib/sniff'
import { plainText } from '../../lib/text'

const FileName = plainText(255)

export const Media = z.object({
  id: z.string(),
  project_id: z.string(),
  name: z.string(),
  size: z.number(),
  /** By its first bytes; what the sender said is beside it. */
  type: z.string(),
  declared_type: z.string(),
  sha256: z.string(),
  url: z.string(),
  created_by: z.string(),
  created_at: z.string(),
})
export type Media = z.infer<typeof Media>
export const MediaList = listOf(Media)
export const MediaParams = z.strictObject({ id: z.string().refine((id) => isId('med', id)) })

export const RenameMedia = z.strictObject({ name: FileName })
export type RenameMedia = z.infer<typeof RenameMedia>

/** What the URL of a file's bytes may say. A ticket is read where the request is identified, not here. */
export const MediaQuery = z.object({
  /** Of a link: then it opens the file at the link's version, without any other credential. */
  ticket: z.string().optional(),
})

export const CreateLink = z.strictObject({ expires_in_seconds: z.int().min(1).max(300).default(300) })
export type CreateLink = z.output<typeof CreateLink>

/** Shown once. */
export const NewLink = z.object({ id: z.string(), url: z.string(), expires_at: z.string() })
export type NewLink = z.infer<typeof NewLink>
export const LinkParams = z.strictObject({ id: z.string().refine((id) => isId('lnk', id)) })

const mediaType = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?=\s*(?:;|$))/
const sha256 = '([A-Za-z0-9+/]{43}=)'
const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex')

const decodeName = (text: string, context: z.RefinementCtx): string => {
  try {
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
export const UploadHeaders = z
  .object({
    'x-file-name': z.string().max(4000).default('untitled').transform(decodeName).pipe(FileName),
    'content-type': z.string().default(unknownType),
    'content-length': z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .optional(),
    'content-encoding': z.string().default('identity'),
    /** RFC 9530, `sha-256=:…:`; and the tus form, `sha256 …`. */
    'content-digest': digest(/(?:^|,)\s*sha-256\s*=/, new RegExp(`(?:^|,)\\s*sha-256=:${sha256}:\\s*(?:,|$)`)),
    'upload-checksum': digest(/^sha256\b/, new RegExp(`^sha256 ${sha256}$`)),
  })
  .transform((h) => ({
    name: h['x-file-name'],
    declaredType: mediaType.exec(h['content-type'])?.[0].toLowerCase() ?? unknownType,
    bytes: h['content-length'] ?? null,
    encoding: h['content-encoding'],
    sha256: [h['content-digest'], h['upload-checksum']].filter((d) => d !== null),
  }))
export type UploadHeaders = z.output<typeof UploadHeaders>
