// The log: JSON lines by pino, scrubbed whole; request lines gathered and written together every 50 ms.
import { pino } from 'pino'
import { scrub } from '../lib/scrub'
import type { Log } from '../ports'

const flushMs = 50
const maxBuffered = 1 << 20

type Told = { type: string; code?: unknown; message?: string; frames: string[]; cause?: Told }

/** An error as it may be logged: a failed query's message repeats what was bound to it, and is left out. */
const tellError = (error: unknown, depth = 0): Told | string => {
  if (!(error instanceof Error)) return typeof error
  const frames = (error.stack ?? '').split('\n').filter((l) => /^\s+at /.test(l))
  const cause = error.cause === undefined || depth > 3 ? undefined : tellError(error.cause, depth + 1)
  return {
    type: error.name,
    ...('code' in error && { code: error.code }),
    ...(!('params' in error) && { message: error.message }),
    frames: frames.slice(0, 8).map((l) => l.trim()),
    ...(typeof cause === 'object' && { cause }),
  }
}

/** Standard output, written through to: what was logged before a crash is there. */
export const standardOutput = () => pino.destination({ dest: 1, sync: true })

/** `out` takes whole lines, each ended, and has put them out when it returns. */
export const createLog = (out: { write(lines: string): unknown }): Log => {
  const buffered: string[] = []
  let bytes = 0
  const flush = () => {
    if (buffered.length === 0) return
    const lines = buffered.join('')
    buffered.length = 0
    bytes = 0
    out.write(scrub(lines))
  }
  const events = pino(
    {
      base: null,
      serializers: { error: (error) => tellError(error) },
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        flush()
        out.write(scrub(line))
      },
    },
  )
  setInterval(flush, flushMs).unref()

  return {
    info: (fields, message) => events.info(fields, message),
    warn: (fields, message) => events.warn(fields, message),
    error: (fields, message) => events.error(fields, message),
    request: (line, urgent) => {
      buffered.push(line)
      bytes += line.length
      if (urgent || bytes > maxBuffered) flush()
    },
    flush,
  }
}
