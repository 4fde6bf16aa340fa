// An answer that is made while it is read, for saving: of no length that is known before its end.
import type { Exchange } from './exchange'

// Whoever takes nothing for that long is gone, and with them what is open for them. The longest that Bun can wait is 255 s.
export const slowestReaderSeconds = 240

type File = Readonly<{
  type: string
  /** Of our making: letters, digits, `_`, `-` and one dot. */
  name: string
  /** Begins it, and what is noted of it. Not asked for a HEAD, of which nothing leaves. */
  open(): Promise<ReadableStream<Uint8Array>>
}>

/** Answers a GET or HEAD of `file`, once it is settled that the caller may have it. @throws what `open` throws */
export const download = async (caller: Exchange, { type, name, open }: File): Promise<Response> => {
  const headers = { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` }
  if (caller.request.method === 'GET') {
    caller.takeTime(slowestReaderSeconds)
    return new Response(await open(), { headers })
  }
  caller.contentLength = 'unknown'
  return new Response(null, { headers })
}
