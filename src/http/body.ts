// Request bodies: JSON in strict UTF-8 and nothing else, small by count. Streams are read by their own routes.
import { Failure } from '../errors'

const maxBytes = 256 * 1024
const maxDepth = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const tooLarge = () => new Failure('too_large', `At most ${maxBytes} bytes`)

/** A body that does not say its length. */
const readCounting = async (body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.byteLength
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** Whether no bracket stands deeper than `maxDepth`: what looks at a value later walks it, and prints it, by depth. */
const isShallow = (json: string): boolean => {
  let depth = 0
  let quoted = false
  for (let i = 0; i < json.length && depth <= maxDepth; i++) {
    const c = json[i]
    if (quoted) {
      if (c === '\\') i++
      else if (c === '"') quoted = false
    } else if (c === '"') quoted = true
    else if (c === '[' || c === '{') depth++
    else if (c === ']' || c === '}') depth--
  }
  return depth <= maxDepth
}

const decode = (bytes: Uint8Array): unknown => {
  try {
    const text = utf8.decode(bytes)
    if (isShallow(text)) return JSON.parse(text)
  } catch {
    throw new Failure('malformed', 'The body is not JSON in UTF-8')
  }
  throw new Failure('malformed', `The body is nested deeper than ${maxDepth}`)
}

/**
 * The JSON body of a request, or null where it has none.
 * @throws Failure `too_large` over 256 KiB, by length or by count; `unsupported_type`; `malformed`.
 */
export const readJson = async (request: Request): Promise<unknown> => {
  const declared = request.headers.get('content-length')
  if (Number(declared ?? 0) > maxBytes) throw tooLarge()
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  const bytes = await (declared === null ? readCounting(request.body) : request.bytes())
  if (bytes.length === 0) return null
  if (type !== 'application/json') throw new Failure('unsupported_type', 'Send JSON as application/json')
  return decode(bytes)
}
