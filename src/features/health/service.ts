// Whether the node is alive, and whether it can do its work: the parts it leans on, each asked with a time limit.
import type { Clock } from '../../ports'
import type { Alive, Ready } from './model'

const timeoutMs = 2000
// Anybody may ask, and each look costs a write, and calls elsewhere: those who ask within this time share one.
const sharedMs = 1000

type Deps = {
  clock: Clock
  version: string
  /** Each resolves when its part works. A failing one with `required: false` is shown and keeps nobody away. */
  checks: Record<string, { required: boolean; run: () => Promise<void> }>
  /** How well it knows what other nodes take away; `age` in ms. Null where there are no others. */
  node: { age: () => number; isTrusted: () => boolean } | null
}

export const healthService = ({ clock, version, checks, node }: Deps) => {
  const inTime = (run: () => Promise<void>) =>
    Promise.race([
      run().then(
        () => true,
        () => false,
      ),
      clock.sleep(timeoutMs).then(() => false),
    ])

  const look = async (): Promise<Ready> => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, { required, run }]) => ({ name, required, works: await inTime(run) })),
    )
    if (node) results.push({ name: 'feed', required: true, works: node.isTrusted() })
    const age = node?.age() ?? 0
    return {
      status: results.every((r) => r.works || !r.required) ? 'ok' : 'unavailable',
      checks: Object.fromEntries(results.map((r) => [r.name, r.works ? 'ok' : 'failing'] as const)),
      ...(node && { feed_age_ms: Number.isFinite(age) ? Math.round(age) : null }),
    }
  }
  let last: { at: number; ready: Promise<Ready> } | undefined

  return {
    /** Costs nothing and looks at nothing. */
    alive: (): Alive => ({ status: 'ok', version }),

    /** What the newest look found, which is at most a second old. Never fails. */
    ready(): Promise<Ready> {
      const now = clock.monotonic()
      if (!last || now - last.at >= sharedMs) last = { at: now, ready: look() }
      return last.ready
    },
  }
}
export type HealthService = ReturnType<typeof healthService>
