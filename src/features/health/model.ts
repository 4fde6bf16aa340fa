// What crosses the wire about how the node is.
import { z } from 'zod'

export const Alive = z.object({ status: z.literal('ok'), version: z.string() })
export type Alive = z.infer<typeof Alive>

export const Ready = z.object({
  status: z.enum(['ok', 'unavailable']),
  checks: z.record(z.string(), z.enum(['ok', 'failing'])),
  /** Where several nodes share a database: how old this one's knowledge of what others take away is. */
  feed_age_ms: z.number().nullable().optional(),
})
export type Ready = z.infer<typeof Ready>
