// A stream that can be cut from outside.

/** The bytes of `source`, pulled one by one, until `signal` aborts: then both ends break off, never as if it was all. */
export const cutBy = (source: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> => {
  const reader = source.getReader()
  let cut = () => {}
  const ended = () => signal.removeEventListener('abort', cut)
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        cut = () => {
          controller.error(signal.reason)
          reader.cancel(signal.reason).catch(() => {})
        }
        if (signal.aborted) cut()
        else signal.addEventListener('abort', cut, { once: true })
      },
      async pull(controller) {
        const { done, value } = await reader.read()
        if (signal.aborted) return
        if (!done) return controller.enqueue(value)
        ended()
        controller.close()
      },
      cancel(reason) {
        ended()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
