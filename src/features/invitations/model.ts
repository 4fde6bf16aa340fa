// What crosses the wire about invitations.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { roles } from '../../permissions'
import { locales } from '../account/model'

export const Invite = z.strictObject({
  email: z.string().max(1024),
  role: z.enum(roles),
  /** Restricted projects it opens. */
  projects: z.array(idOf('prj')).max(50).default([]),
  /** Of the mail; the inviter cannot know more of the person than this. */
  locale: z.enum(locales).default('en'),
})
export type Invite = z.output<typeof Invite>

export const Invitation = z.object({
  id: z.string(),
  email: z.string(),
  role: z.enum(roles),
  projects: z.array(z.string()),
  status: z.enum(['pending', 'accepted', 'revoked', 'expired']),
  created_at: z.string(),
  expires_at: z.string(),
})
export type Invitation = z.infer<typeof Invitation>
export const InvitationList = listOf(Invitation)
export const InvitationParams = z.strictObject({ id: idOf('inv') })

/** As the person sees it who was invited. */
export const Offer = z.object({
  id: z.string(),
  workspace_name: z.string(),
  role: z.enum(roles),
  expires_at: z.string(),
})
export type Offer = z.infer<typeof Offer>
export const OfferList = listOf(Offer)

export const Accepted = z.object({ workspace_id: z.string(), role: z.enum(roles) })
export type Accepted = z.infer<typeof Accepted>
