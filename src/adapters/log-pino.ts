// The log: JSON lines by pino, scrubbed whole; request lines of what needs none, written together every 50 ms.
import { pino } from 'pino'
import { scrub } from '../lib/scrub'
import type { FinishedRequest, Log } from '../ports'

const flushMs = 50
// As much as is put together without asking the system for pages each time.
const maxBuffered = 1 << 16
const maxWords = 1000

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

/** Text as JSON, scrubbed, remembered: methods and routes are few. */
const createWords = () => {
  const known = new Map<string, string>()
  return (text: string): string => {
    let word = known.get(text)
    if (word === undefined) {
      word = JSON.stringify(scrub(text))
      if (known.size < maxWords) known.set(text, word)
    }
    return word
  }
}
type Words = ReturnType<typeof createWords>

// By hand: it is written for every request. What is not a word here is a number or an id of our own making.
const lineOf = ({ at, requestId, method, route, status, ms, workspace }: FinishedRequest, word: Words): string =>
  `{"time":${at},"request_id":"${requestId}","method":${word(method)},"route":${word(route)},"status":${status},"ms":${Math.round(ms * 100) / 100}${
    workspace === null ? '' : `,"workspace":"${workspace}"`
  }}\n`

/** Puts lines out where that works. A log that is full or gone ends nobody: what it did not take is counted, and told. */
const createSink = (out: { write(lines: string): unknown }) => {
  let lost = 0
  return (lines: string, count = 1): void => {
    // After a line that was torn, the next begins on its own.
    const told = lost && `\n{"level":"warn","time":${Date.now()},"lost":${lost},"msg":"lines of the log were lost"}\n`
    try {
      out.write(told ? told + lines : lines)
      lost = 0
    } catch {
      lost += count
    }
  }
}

/** `out` takes whole lines, each ended, and sees to them; while it throws, they are lost. */
export const createLog = (out: { write(lines: string): unknown }): Log => {
  const [put, word] = [createSink(out), createWords()]
  const buffered: string[] = []
  let bytes = 0
  const flush = () => {
    if (buffered.length === 0) return
    const [lines, count] = [buffered.join(''), buffered.length]
    buffered.length = 0
    bytes = 0
    put(lines, count)
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
        put(scrub(line))
      },
    },
  )
  setInterval(flush, flushMs).unref()

  return {
    info: (fields, message) => events.info(fields, message),
    warn: (fields, message) => events.warn(fields, message),
    error: (fields, message) => events.error(fields, message),
    request: (done, urgent) => {
      const line = lineOf(done, word)
      buffered.push(line)
      bytes += line.length
      if (urgent || bytes > maxBuffered) flush()
    },
    flush,
  }
}
