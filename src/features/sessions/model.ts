// What crosses the wire about sessions. Never a token.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { Receipt } from '../../receipt'

export const Session = z.object({
  id: z.string(),
  current: z.boolean(),
  label: z.string(),
  method: z.enum(['code', 'link']),
  place: z.string().nullable(),
  created_at: z.string(),
  last_seen_at: z.string(),
  expires_at: z.string(),
})
export type Session = z.infer<typeof Session>
export const SessionList = listOf(Session)

export const SessionParams = z.strictObject({ id: idOf('ses') })

export const RevokeSessions = z.strictObject({ which: z.enum(['others', 'all']) })
export type RevokeSessions = z.infer<typeof RevokeSessions>
export const RevokedSessions = z.object({ revoked: z.number(), ...Receipt.partial().shape })
