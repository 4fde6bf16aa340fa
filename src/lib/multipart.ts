// A form that holds one file and nothing else (RFC 7578), read as it comes: its head, then its bytes, none of them held.
import { Failure } from '../errors'

export type FormFile = { name: string; type: string; bytes: ReadableStream<Uint8Array> }

const maxHeadBytes = 8192
const utf8 = new TextDecoder('utf-8', { fatal: true })
const malformed = (why: string) => new Failure('malformed', why)

/** The boundary that a Content-Type of a form names, or null for one that names none. */
const boundaryOf = (type: string): string | null => {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([\w'()+,\-./:=?]{1,70}))\s*(?:;|$)/i.exec(type) ?? []
  return quoted ?? bare ?? null
}

/** Chunks put together until what is looked for has come. */
const createScanner = (reader: ReadableStreamDefaultReader<Uint8Array>) => {
  let rest: Buffer = Buffer.alloc(0)
  return {
    has: () => rest,
    async more(): Promise<void> {
      const { done, value } = await reader.read()
      if (done) throw malformed('The form broke off')
      rest =
        rest.length === 0 ? Buffer.from(value.buffer, value.byteOffset, value.length) : Buffer.concat([rest, value])
    },
    take(length: number): Buffer {
      const taken = rest.subarray(0, length)
      rest = rest.subarray(length)
      return taken
    },
  }
}
type Scanner = ReturnType<typeof createScanner>

/** What comes before `mark`, which is taken too. @throws Failure `malformed` where that is much */
const takeUntil = async (scanner: Scanner, mark: string): Promise<Buffer> => {
  for (;;) {
    const at = scanner.has().indexOf(mark)
    if (at > maxHeadBytes || (at < 0 && scanner.has().length > maxHeadBytes))
      throw malformed('The form has too long a head')
    if (at >= 0) return scanner.take(at + mark.length).subarray(0, at)
    await scanner.more()
  }
}

const readHead = (bytes: Buffer): Omit<FormFile, 'bytes'> => {
  let head: string
  try {
    head = utf8.decode(bytes)
  } catch (cause) {
    throw new Failure('malformed', 'The form is not in UTF-8', { cause })
  }
  const field = (name: string) => new RegExp(`(?:^|\\r\\n)${name}:[\\t ]*([^\\r\\n]*)`, 'i').exec(head)?.[1]
  const disposition = field('content-disposition') ?? ''
  const name = /^form-data;(?:.*;)?\s*filename="((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1]
  if (name === undefined) throw new Failure('invalid', 'The form is to hold one file and nothing else')
  return { name: name.replace(/\\(.)/g, '$1').replaceAll('%22', '"'), type: field('content-type') ?? '' }
}

/** The bytes up to the delimiter, which the end of the form is to follow. */
async function* bytesUntil(scanner: Scanner, delimiter: string, maxBytes: number) {
  for (let size = 0; ; ) {
    const at = scanner.has().indexOf(delimiter)
    const ready = at >= 0 ? at : Math.max(0, scanner.has().length - delimiter.length + 1)
    size += ready
    if (size > maxBytes) throw new Failure('too_large', `At most ${maxBytes} bytes in a form: send the file itself`)
    if (ready > 0) yield Uint8Array.from(scanner.take(ready))
    if (at >= 0) break
    await scanner.more()
  }
  scanner.take(delimiter.length)
  while (scanner.has().length < 2) await scanner.more()
  if (scanner.take(2).toString('latin1') !== '--')
    throw new Failure('invalid', 'The form is to hold one file and nothing else')
}

const streamOf = (bytes: AsyncGenerator<Uint8Array>, cancel: (reason: unknown) => Promise<void>) =>
  new ReadableStream<Uint8Array>(
    {
      async pull(stream) {
        const { done, value } = await bytes.next()
        if (done) stream.close()
        else stream.enqueue(value)
      },
      cancel,
    },
    { highWaterMark: 0 },
  )

/**
 * The file in a form whose Content-Type is `type`; its bytes are to be read to their end.
 * @throws Failure `malformed`; `invalid` where it holds no file, or more than that; and while it is read `too_large`.
 */
export const readFormFile = async (
  body: ReadableStream<Uint8Array> | null,
  type: string,
  maxBytes: number,
): Promise<FormFile> => {
  const boundary = boundaryOf(type)
  if (boundary === null || body === null) throw malformed('The form names no boundary')
  const reader = body.getReader()
  try {
    const scanner = createScanner(reader)
    if ((await takeUntil(scanner, `--${boundary}\r\n`)).length > 0)
      throw malformed('The form does not begin with its boundary')
    const head = readHead(await takeUntil(scanner, '\r\n\r\n'))
    return {
      ...head,
      bytes: streamOf(bytesUntil(scanner, `\r\n--${boundary}`, maxBytes), (reason) => reader.cancel(reason)),
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {})
    throw error
  }
}
