// A clock for tests: it stands still until it is moved.
import type { Clock } from '../src/ports'

export const newTestClock = (start = Date.UTC(2030, 0, 1)): Clock & { advance(ms: number): void } => {
  let at = start
  const advance = (ms: number) => {
    at += ms
  }
  return { now: () => at, monotonic: () => at - start, sleep: async (ms) => advance(ms), advance }
}
