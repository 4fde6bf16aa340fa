// Request bodies: JSON in strict UTF-8 and nothing else, small by count. Streams are read by their own routes.
import { Failure } from '../errors'

const maxBytes = 256 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const readAll = async (body: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > maxBytes) throw new Failure('too_large', `At most ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

const decode = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new Failure('malformed', 'The body is not JSON in UTF-8')
  }
}

/**
 * The JSON body of a request, or null where it has none.
 * @throws Failure `too_large` over 256 KiB, by length or by count; `unsupported_type`; `malformed`.
 */
export const readJson = async (request: Request): Promise<unknown> => {
  if (request.body === null) return null
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > maxBytes) throw new Failure('too_large', `At most ${maxBytes} bytes`)
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  const bytes = await readAll(request.body)
  if (bytes.length === 0) return null
  if (type !== 'application/json') throw new Failure('unsupported_type', 'Send JSON as application/json')
  return decode(bytes)
}
