// What crosses the wire about the members of a workspace.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { roles } from '../../permissions'
import { Fence, Receipt } from '../../receipt'

export const Member = z.object({
  user_id: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  role: z.enum(roles),
  joined_at: z.string(),
})
export type Member = z.infer<typeof Member>
export const UpdatedMember = z.object({ ...Member.shape, ...Receipt.partial().shape })
export type UpdatedMember = z.infer<typeof UpdatedMember>
export const MemberList = listOf(Member)
export const MemberParams = z.strictObject({ id: idOf('usr') })
export const UpdateMember = z.strictObject({ role: z.enum(roles) })
export type UpdateMember = z.infer<typeof UpdateMember>
export const RemoveMember = z.strictObject({
  /** Whether the API keys they made end as well; a key outlives its maker otherwise. */
  revoke_keys: z.enum(['true', 'false']).default('false'),
  ...Fence.shape,
})
