// What whoever ended something is told: from when on, and where, it is refused.
import { z } from 'zod'
import { rfc3339 } from './lib/time'

export const Fence = z.strictObject({
  fence: z
    .literal('all')
    .optional()
    .describe('Answer once no node takes it any more, which may need some seconds where one is out of reach'),
})
export type Fence = z.output<typeof Fence>

/** From when on, and where, something ended is refused. `bound_ms`: the longest any other node may still take it. */
export const Receipt = z.object({
  revoked_at: z.string(),
  this_node: z.literal('immediate'),
  other_nodes: z.object({ bound_ms: z.number(), confirmed: z.boolean() }),
})
export type Receipt = z.infer<typeof Receipt>

/** Builds the receipt for what was ended here at `endedAt` (ms); with `fence` once all nodes refuse it. */
export const createReceipt =
  (otherNodes: (fence: boolean) => Promise<{ boundMs: number; confirmed: boolean }>) =>
  async (endedAt: number, fence: boolean): Promise<Receipt> => {
    const { boundMs, confirmed } = await otherNodes(fence)
    return {
      revoked_at: rfc3339(endedAt),
      this_node: 'immediate',
      other_nodes: { bound_ms: boundMs, confirmed },
    }
  }
export type NewReceipt = ReturnType<typeof createReceipt>
