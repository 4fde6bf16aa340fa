// A clock for tests: it stands still until it is moved; whoever sleeps wakes when it passes them.
import type { Clock } from '../src/ports'

export const newTestClock = (start = Date.UTC(2030, 0, 1)): Clock & { advance(ms: number): void } => {
  let at = start
  let sleepers: { until: number; wake: () => void }[] = []
  const advance = (ms: number) => {
    at += ms
    const due = sleepers.filter((s) => s.until <= at)
    sleepers = sleepers.filter((s) => s.until > at)
    for (const { wake } of due) wake()
  }
  const sleep = (ms: number) =>
    ms <= 0 ? Promise.resolve() : new Promise<void>((wake) => void sleepers.push({ until: at + ms, wake }))
  return { now: () => at, monotonic: () => at - start, sleep, advance }
}
