// A copy of a primary, made for the occasion: of what was committed by now, and cut between two transactions.
import { statSync } from 'node:fs'
import Libsql from 'libsql'
import { startSync } from '../adapters/replica'

const stallMs = 300_000
const letGoMs = 10_000
const minutes = stallMs / 60_000

const sizeOf = (path: string): number =>
  [path, `${path}-wal`].reduce((sum, it) => sum + (statSync(it, { throwIfNoEntry: false })?.size ?? 0), 0)

/** Moves what was written to its WAL into the file itself. The thread that pulled may be about to let go of it. */
const moveWal = (path: string): void => {
  const file = new Libsql(path)
  try {
    file.exec(`pragma busy_timeout = ${letGoMs}`)
    const [moved] = file.prepare<never[]>('pragma wal_checkpoint(truncate)').all() as { busy: number }[]
    if (moved?.busy !== 0) throw noCopy()
  } finally {
    file.close()
  }
}
const noCopy = () => new Error('The primary did not give a copy of its data.')

/** Rejects once nothing more has come into the file at `path` for `ms`; `signal` ends the watch. */
const stalled = (path: string, ms: number, signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    let [size, since] = [sizeOf(path), performance.now()]
    const timer = setInterval(() => {
      const now = sizeOf(path)
      if (now !== size) [size, since] = [now, performance.now()]
      else if (performance.now() - since >= ms)
        reject(new Error(`The primary does not go on giving a copy of its data: nothing came for ${minutes} minutes.`))
    }, ms / 100)
    signal.addEventListener('abort', () => clearInterval(timer))
  })

/**
 * Makes it at `path`, in a thread of its own, since what pulls there waits without end. `readToken` need only read.
 * @throws Error, as a sentence
 */
export const copyPrimary = async (
  { url, readToken }: { url: string; readToken: string },
  path: string,
  ms = stallMs,
): Promise<void> => {
  const watch = new AbortController()
  const sync = startSync({ path, url, token: readToken })
  try {
    const isWhole = await Promise.race([sync.pulled(), stalled(path, ms, watch.signal)])
    if (!isWhole) throw noCopy()
  } finally {
    watch.abort()
    await sync.stop()
  }
  moveWal(path)
}
