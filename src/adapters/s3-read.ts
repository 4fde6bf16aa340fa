// Reading an object as a stream: pulled as it is read, gone on with where a connection broke, never shorter than promised.
import type { ByteRange, Clock, Hold } from '../ports'
import type { S3, S3Body } from './s3'

type Options = {
  s3: S3
  clock: Clock
  key: string
  range: ByteRange
  /** The answer that has begun, for that range. */
  first: S3Body
  /** What it hangs on, taken with the first read. */
  hold?: () => Hold
  /** How long bytes may not come, and how long a connection waits for its reader, in ms. */
  idleMs?: number
}

const pullBytes = 256 * 1024
const maxBreaks = 3

type Connection = { read(): Promise<Uint8Array | undefined>; close(): void }

const connect = ({ body, close }: S3Body, idleMs: number): Connection => {
  const reader = body.getReader()
  const end = () => {
    reader.cancel().catch(() => {})
    close()
  }
  return {
    close: end,
    async read() {
      const timer = setTimeout(end, idleMs)
      try {
        return (await reader.read()).value
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/**
 * The bytes of `range`. A connection that breaks or waits too long is opened anew from where it stood, if it is still the
 * same object. Errors where that does not help, and when its right is gone.
 */
export const readS3 = ({
  s3,
  clock,
  key,
  range,
  first,
  hold,
  idleMs = 30_000,
}: Options): ReadableStream<Uint8Array> => {
  const gone = new AbortController()
  let [at, breaks, chunk]: [number, number, Uint8Array] = [range.start, 0, new Uint8Array(0)]
  let connection: Connection | undefined = connect(first, idleMs)
  let right: Hold | undefined
  let cut = () => {}
  let unread: ReturnType<typeof setTimeout> | undefined

  const disconnect = () => {
    connection?.close()
    connection = undefined
  }
  // Nobody reads: whoever has stopped for long, or never began, keeps no connection.
  const rest = () => {
    unread = setTimeout(disconnect, idleMs)
  }
  const end = () => {
    clearTimeout(unread)
    gone.abort()
    disconnect()
    right?.signal.removeEventListener('abort', cut)
    right?.release()
    right = undefined
  }
  const begin = (controller: ReadableStreamDefaultController) => {
    right = hold?.()
    right?.signal.throwIfAborted()
    cut = () => {
      controller.error(right?.signal.reason)
      end()
    }
    right?.signal.addEventListener('abort', cut)
  }
  const more = async (): Promise<Uint8Array> => {
    for (;;) {
      try {
        if (!connection) {
          const reopened = { range: { start: at, end: range.end }, etag: first.etag, signal: gone.signal }
          connection = connect(await s3.get(key, reopened), idleMs)
        }
        const bytes = await connection.read()
        if (bytes === undefined) throw new Error('an object ended before its size')
        if (bytes.length > 0) return bytes
      } catch (error) {
        disconnect()
        gone.signal.throwIfAborted()
        if (++breaks > maxBreaks) throw error
        await clock.sleep(100 * breaks)
      }
    }
  }

  rest()
  let begun = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(unread)
        try {
          if (!begun) begin(controller)
          begun = true
          if (chunk.length === 0) chunk = await more()
          if (gone.signal.aborted) return
          breaks = 0
          const bytes = chunk.subarray(0, Math.min(pullBytes, range.end - at))
          chunk = chunk.subarray(bytes.length)
          at += bytes.length
          controller.enqueue(bytes)
          if (at < range.end) return rest()
          controller.close()
          end()
        } catch (error) {
          if (gone.signal.aborted) return
          end()
          throw error
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
}
