// What crosses the wire about media: a file's description. Its bytes have no shape here.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { plainText } from '../../lib/text'

export const FileName = plainText(255)

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
  /** Of the bytes, from 1; who sent it, and when. */
  version: z.number(),
  changed_by: z.string(),
  changed_at: z.string(),
})
export type Media = z.infer<typeof Media>
export const MediaList = listOf(Media)
export const MediaParams = z.strictObject({ id: idOf('med') })

/** Of one version: who sent it, and when. */
export const MediaVersion = Media.pick({
  ...{ version: true, size: true, type: true, declared_type: true, sha256: true, url: true },
  ...{ created_by: true, created_at: true },
})
export type MediaVersion = z.infer<typeof MediaVersion>
export const MediaVersionList = listOf(MediaVersion)

export const RenameMedia = z.strictObject({ name: FileName })
export type RenameMedia = z.infer<typeof RenameMedia>

/** What the URL of a file's bytes may say. A ticket is read where the request is identified, not here. */
export const MediaQuery = z.object({
  ticket: z
    .string()
    .optional()
    .describe("Of a link: opens the file at the link's version, without any other credential"),
  version: z.coerce.number().int().min(1).max(1e9).optional().describe('Else the present one'),
})

export const CreateLink = z.strictObject({ expires_in_seconds: z.int().min(1).max(300).default(300) })
export type CreateLink = z.output<typeof CreateLink>

/** Shown once. */
export const NewLink = z.object({ id: z.string(), url: z.string(), expires_at: z.string() })
export type NewLink = z.infer<typeof NewLink>
export const LinkParams = z.strictObject({ id: idOf('lnk') })
