// What crosses the wire about projects.
import { z } from 'zod'
import { isId } from '../../lib/id'
import { listOf } from '../../lib/page'
import { plainText } from '../../lib/text'

const slug = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/, 'Small letters, digits and hyphens, at most 48')

export const CreateProject = z.strictObject({
  name: plainText(80),
  slug: slug.optional(),
  restricted: z.boolean().default(false),
})
export type CreateProject = z.infer<typeof CreateProject>
export const UpdateProject = z.strictObject({ name: plainText(80) })
export type UpdateProject = z.infer<typeof UpdateProject>

export const Project = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  restricted: z.boolean(),
  is_default: z.boolean(),
  created_at: z.string(),
})
export type Project = z.infer<typeof Project>
export const ProjectList = listOf(Project)
export const ProjectParams = z.strictObject({ id: z.string().refine((id) => isId('prj', id)) })
