// What crosses the wire about workspaces.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { plainText } from '../../lib/text'
import { roles } from '../../permissions'

export const CreateWorkspace = z.strictObject({ name: plainText(80) })
export type CreateWorkspace = z.infer<typeof CreateWorkspace>

const daySeconds = 86_400
export const UpdateWorkspace = z.strictObject({
  name: plainText(80).optional(),
  /** How long ago a member's last proof of their mailbox may be for entering it; null asks for none. */
  max_auth_age_seconds: z
    .int()
    .min(600)
    .max(30 * daySeconds)
    .nullable()
    .optional(),
})
export type UpdateWorkspace = z.infer<typeof UpdateWorkspace>

export const Workspace = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  default_project_id: z.string(),
  created_at: z.string(),
  max_auth_age_seconds: z.number().nullable(),
  /** Being deleted: nobody enters it, and until then an admin may restore it. */
  deletes_at: z.string().nullable(),
})
export type Workspace = z.infer<typeof Workspace>
export const WorkspaceList = listOf(Workspace)
export const WorkspaceParams = z.strictObject({ id: idOf('wsp') })
