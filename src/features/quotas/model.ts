// What crosses the wire about quotas.
import { z } from 'zod'
import { resources } from '../../limits'

export const Quotas = z.object({
  plan: z.string(),
  quotas: z.array(
    z.object({
      resource: z.enum(resources),
      used: z.number(),
      /** Null where the plan sets no bound. */
      allowed: z.number().nullable(),
      /** From when on it is counted anew; null where what is used stays used until it is given back. */
      resets_at: z.string().nullable(),
    }),
  ),
})
export type Quotas = z.infer<typeof Quotas>
