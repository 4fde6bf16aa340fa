// A body that is at hand, as a stream: so it is counted, and cut at once, however slowly it is taken.
import { free } from '../../lib/memory'
import type { Hold, Pour } from '../../ports'

const pieceBytes = 64 * 1024

const abortOf = (signal: AbortSignal): Promise<never> => {
  const aborted = new Promise<never>((_, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  // Where nobody waits for it, it is no failure.
  aborted.catch(() => {})
  return aborted
}

/** The bytes of `body`, a piece at a time, while the right lasts. Between two pieces it holds no descriptor. */
export const inPieces = (pour: Pour, body: Blob, hold: () => Hold): ReadableStream<Uint8Array> =>
  pour(async (write) => {
    const { signal, release } = hold()
    const aborted = abortOf(signal)
    try {
      for (let at = 0; at < body.size; at += pieceBytes) {
        const bytes = new Uint8Array(await body.slice(at, at + pieceBytes).arrayBuffer())
        signal.throwIfAborted()
        const written = write(bytes)
        free(bytes)
        await Promise.race([written, aborted])
      }
    } finally {
      release()
    }
  })
