// One Latchkey node as a process of its own, for tests: its clock may be off, and it tells how long it stood still.
import { systemClock } from '../../src/adapters/clock'
import { createLog, standardOutput } from '../../src/adapters/log-pino'
import { readConfig } from '../../src/config'
import { startServer } from '../../src/runtime/bun'

const offsetMs = Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0)
const clock = { ...systemClock, now: () => systemClock.now() + offsetMs }
const settle = (port = 0) => readConfig({ ...process.env, LATCHKEY_PORT: `${port}` }, { source: 'source' })

let stalledMs = 0
let last = performance.now()
setInterval(() => {
  const now = performance.now()
  stalledMs = Math.max(stalledMs, now - last)
  last = now
}, 1)

try {
  const running = await startServer(settle, createLog(standardOutput()), { clock })
  process.on('message', (order) => {
    if (order === 'stop') void running.stop().then(() => process.exit(0))
    if (order === 'stalled') {
      process.send?.({ stalledMs })
      stalledMs = 0
    }
  })
  process.send?.({ listening: running.config.origin })
} catch (error) {
  process.send?.({ failed: (error as Error).message })
  setTimeout(() => process.exit(1), 50)
}
