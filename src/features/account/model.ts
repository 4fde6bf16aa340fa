// What crosses the wire about a person's own account, and about whoever is asking.
import { z } from 'zod'
import { plainText } from '../../lib/text'
import { roles } from '../../permissions'
import { AuditEvent } from '../audit/model'
import { Device } from '../devices/model'
import { Session } from '../sessions/model'

export const locales = ['en', 'zh'] as const

export const User = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  locale: z.enum(locales),
  created_at: z.string(),
})
export type User = z.infer<typeof User>

const Membership = z.object({ id: z.string(), name: z.string(), role: z.enum(roles), default_project_id: z.string() })
export const Me = User.extend({ workspaces: z.array(Membership) })
export type Me = z.infer<typeof Me>

export const UpdateMe = z.strictObject({
  name: plainText(80).nullable().optional(),
  locale: z.enum(locales).optional(),
})
export type UpdateMe = z.infer<typeof UpdateMe>

export const ChangeEmail = z.strictObject({ email: z.string().max(1024) })
export type ChangeEmail = z.infer<typeof ChangeEmail>

/** All that is held about a person, but tokens and hashes, which tell nothing. */
export const Export = z.object({
  user: User,
  former_addresses: z.array(z.object({ email: z.string(), changed_at: z.string() })),
  workspaces: z.array(Membership.extend({ created_at: z.string() })),
  invitations: z.array(
    z.object({ id: z.string(), workspace_name: z.string(), role: z.enum(roles), expires_at: z.string() }),
  ),
  sessions: z.array(Session),
  devices: z.array(Device),
  events: z.array(AuditEvent),
})
export type Export = z.infer<typeof Export>

export const Whoami = z.object({
  actor: z.object({ type: z.enum(['user', 'key']), id: z.string() }),
  workspace: z.object({ id: z.string(), name: z.string(), role: z.enum(roles).nullable() }).nullable(),
  project: z.object({ id: z.string(), slug: z.string() }).nullable(),
  permissions: z.array(z.string()),
  environment: z.enum(['live', 'test', 'dev']).nullable(),
})
export type Whoami = z.infer<typeof Whoami>
