// What crosses the wire about projects.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { plainText } from '../../lib/text'
import { roles } from '../../permissions'

const slug = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/, 'Small letters, digits and hyphens, at most 48')

export const CreateProject = z.strictObject({
  name: plainText(80),
  slug: slug.optional(),
  restricted: z.boolean().default(false),
})
export type CreateProject = z.infer<typeof CreateProject>
export const UpdateProject = z.strictObject({ name: plainText(80).optional(), restricted: z.boolean().optional() })
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
export const ProjectParams = z.strictObject({ id: idOf('prj') })

/** Whoever may enter a project while it is restricted, beside the admins of the workspace. */
export const ProjectMember = z.object({ user_id: z.string(), role: z.enum(roles), added_at: z.string() })
export type ProjectMember = z.infer<typeof ProjectMember>
export const ProjectMemberList = listOf(ProjectMember)
export const ProjectMemberParams = z.strictObject({
  id: idOf('prj'),
  user_id: idOf('usr'),
})
export const PutProjectMember = z.strictObject({ role: z.enum(roles) })
export type PutProjectMember = z.infer<typeof PutProjectMember>
