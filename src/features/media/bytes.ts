// Bytes of files that this node sends: so many within a time for each caller or link, and for each workspace.
import { Failure } from '../../errors'
import { createGcra } from '../../lib/gcra'
import { type Plans, planOf } from '../../limits'
import type { Actor } from '../../permissions'
import type { Clock } from '../../ports'

/** Built for `spend(actor, link, bytes)`, which throws Failure `rate_limited` where the actor's plan has none left for now. */
export const createBytes = ({ plans, clock }: { plans: Plans; clock: Clock }) => {
  const buckets = createGcra(clock.monotonic)

  return ({ id, lineage, workspace }: Actor, link: { id: string } | undefined, bytes: number): void => {
    const rates = planOf(plans, workspace.plan ?? 'default').bytes
    if (!rates) return
    const owners = [
      [link?.id ?? lineage ?? id, rates.caller] as const,
      [String(workspace.id), rates.workspace] as const,
    ]
    const bound = owners.flatMap(([owner, rate]) => (rate ? [{ owner, rate }] : []))
    const waits = bound.map(({ owner, rate }) => buckets.peek(owner, rate).waitMs)
    const waitMs = Math.max(0, ...waits)
    if (waitMs > 0)
      throw new Failure('rate_limited', 'Too many bytes for now', {
        headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
      })
    for (const { owner, rate } of bound) buckets.spend(owner, rate, bytes)
  }
}
export type Bytes = ReturnType<typeof createBytes>
