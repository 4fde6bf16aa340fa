// Streams of what is made while it is read, and such as can be cut from outside.

/** The right of a read that nobody asked for, so that nothing ends it. */
export const noHold = () => ({ signal: new AbortController().signal, release: () => {} })

/** What `bytes` gives, pulled one by one. Whoever stops reading ends it where it is; `end` runs once it is over, even if nothing was read. */
export const streamOf = (bytes: AsyncGenerator<Uint8Array>, end = () => {}): ReadableStream<Uint8Array> =>
  new ReadableStream(
    {
      async pull(stream) {
        const piece = await bytes.next().catch((error: unknown) => {
          end()
          throw error
        })
        if (!piece.done) return stream.enqueue(piece.value)
        end()
        stream.close()
      },
      async cancel() {
        end()
        await bytes.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )

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
