// Standard output that waits for no reader: what a full pipe does not take is kept, within a bound, and offered again.
import { constants, fstatSync, openSync, writeSync } from 'node:fs'

const maxKeptBytes = 1 << 20
const againMs = 10
const lastMs = 500
const waiting = new Int32Array(new SharedArrayBuffer(4))

/**
 * Whether writes wait is of the description, which we share with whoever gave it: this is one of our own. Only of what
 * can be full for want of a reader: in a file it would have a place of its own. Where it cannot be opened (a socket, a
 * pipe of somebody else) it is the shared one, and writes wait for its reader.
 */
const openAnew = (fd: number): number => {
  try {
    const found = fstatSync(fd)
    if (!found.isFIFO() && !found.isCharacterDevice()) return fd
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return fd
  }
}

/** Gives what was not taken. */
const offer = (fd: number, bytes: Uint8Array): Uint8Array => {
  let at = 0
  try {
    while (at < bytes.length) at += writeSync(fd, bytes, at)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EAGAIN') throw error
  }
  return bytes.subarray(at)
}

/**
 * What was logged before a crash is there, but for what its reader had not made room for yet; at the end of the process
 * that has half a second more. `write` throws where its lines will not be there.
 */
export const standardOutput = () => {
  const fd = openAnew(1)
  let kept: Uint8Array = new Uint8Array()
  let again: ReturnType<typeof setInterval> | undefined

  const put = (bytes: Uint8Array) => {
    kept = offer(fd, bytes)
    if (kept.length > 0) again ??= setInterval(goOn, againMs).unref()
    else again = void clearInterval(again)
  }
  const goOn = () => {
    try {
      put(kept)
    } catch {
      // Its reader is gone, and another may come: the next line tells.
    }
  }
  process.once('exit', () => {
    for (const until = performance.now() + lastMs; kept.length > 0 && performance.now() < until; goOn())
      Atomics.wait(waiting, 0, 0, againMs)
  })

  return {
    write: (lines: string): void => {
      const bytes = Buffer.from(lines)
      if (kept.length > 0) put(kept)
      if (kept.length === 0) put(bytes)
      else if (kept.length + bytes.length > maxKeptBytes) throw new Error('Nobody reads standard output.')
      else kept = Buffer.concat([kept, bytes])
    },
  }
}
