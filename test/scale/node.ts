// One Latchkey node as a process of its own, for tests: its clock may be off, and it tells how long it stood still.
import { readFileSync } from 'node:fs'
import { systemClock } from '../../src/adapters/clock'
import { createLog } from '../../src/adapters/log-pino'
import { standardOutput } from '../../src/adapters/standard-output'
import { readConfig } from '../../src/config'
import { startServer } from '../../src/runtime/bun'

const offsetMs = Number(process.env.TEST_CLOCK_OFFSET_MS ?? 0)
const clock = { ...systemClock, now: () => systemClock.now() + offsetMs }
const settle = (port = 0) => readConfig({ ...process.env, LATCHKEY_PORT: `${port}` }, { source: 'source' })

// How long this thread was ready and had no processor: others' load, and no standing still of ours.
const waitedMs = () => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
let stalledMs = 0
let [last, waited] = [performance.now(), waitedMs()]
setInterval(() => {
  const [now, all] = [performance.now(), waitedMs()]
  stalledMs = Math.max(stalledMs, now - last - (all - waited))
  last = now
  waited = all
}, 2)

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
