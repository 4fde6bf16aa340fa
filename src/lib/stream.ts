// A stream that can be cut from outside.

/**
 * The bytes of `source`, pulled one by one, until `signal` aborts: then both ends are broken off, never ended as if
 * whole. `onEnd` is called once, however it ends.
 */
export const cutBy = (
  source: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  onEnd: () => void = () => {},
): ReadableStream<Uint8Array> => {
  const reader = source.getReader()
  let cut = () => {}
  const ended = () => {
    signal.removeEventListener('abort', cut)
    onEnd()
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut = () => {
          ended()
          controller.error(signal.reason)
          reader.cancel(signal.reason).catch(() => {})
        }
        if (signal.aborted) cut()
        else signal.addEventListener('abort', cut, { once: true })
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (signal.aborted) return
          if (!done) return controller.enqueue(value)
          ended()
          controller.close()
        } catch (error) {
          if (!signal.aborted) ended()
          throw error
        }
      },
      cancel(reason) {
        ended()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
