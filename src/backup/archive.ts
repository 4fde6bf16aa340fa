// The inside of a backup: a line that says what it is, then objects, each with its size before and its SHA-256 after it.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { type BackupFile, broken } from './file'

/** What a backup says of itself, `counts` by table. Instants are ms. `masterKids`: master keys it cannot be read without. */
export type Header = {
  version: string
  instance: string
  generation: number
  createdAt: number
  masterKids: string[]
  migrations: string[]
  counts: Record<string, number>
  /** SHA-256 over all heads of the audit, in order. */
  auditHeads: string
  /** Where the media was that is only referred to, by the keys in the database; null: it is in here. */
  mediaAt: string | null
}
export type Entry = { name: string; size: number }

const pieceBytes = 64 * 1024
const maxLineBytes = 1 << 20
const newline = 10

/** Writes header, objects and the digest over all, in this order. */
export const createArchive = (file: Pick<BackupFile, 'write'>) => {
  const total = createHash('sha256')
  const put = async (bytes: Uint8Array) => {
    total.update(bytes)
    await file.write(bytes)
  }
  const line = (value: unknown) => put(Buffer.from(`${JSON.stringify(value)}\n`))
  let objects = 0
  return {
    header: (header: Header) => line(header),
    /** Adds `size` bytes of the file at `path`; gives their SHA-256 (hex). @throws Error when the file is shorter. */
    async add({ name, size }: Entry, path: string): Promise<string> {
      const [digest, buffer, source] = [createHash('sha256'), Buffer.alloc(pieceBytes), await open(path, 'r')]
      try {
        await line({ name, size })
        for (let at = 0; at < size; ) {
          const { bytesRead } = await source.read(buffer, 0, Math.min(pieceBytes, size - at), at)
          if (bytesRead === 0) throw new Error('A file became shorter while it was backed up.')
          const piece = buffer.subarray(0, bytesRead)
          digest.update(piece)
          await put(piece)
          at += bytesRead
        }
      } finally {
        await source.close()
      }
      const sha256 = digest.digest('hex')
      await line({ sha256 })
      objects++
      return sha256
    },
    end: () => file.write(Buffer.from(`${JSON.stringify({ end: objects, sha256: total.copy().digest('hex') })}\n`)),
  }
}

/** Reads lines and runs of bytes off chunks; never holds more than a chunk and a line. */
const createReader = (chunks: AsyncIterator<Uint8Array>) => {
  const total = createHash('sha256')
  let rest: Uint8Array = new Uint8Array()
  const more = async (): Promise<boolean> => {
    const { value, done } = await chunks.next()
    if (done) return false
    rest = rest.length === 0 ? value : Buffer.concat([rest, value])
    return true
  }
  const take = (length: number): Uint8Array => {
    const taken = rest.subarray(0, length)
    rest = rest.subarray(length)
    total.update(taken)
    return taken
  }
  return {
    /** SHA-256 (hex) of all that was taken so far. */
    digest: () => total.copy().digest('hex'),
    isAtEnd: async () => rest.length === 0 && !(await more()),
    async line(): Promise<Record<string, unknown>> {
      let end = rest.indexOf(newline)
      for (; end < 0; end = rest.indexOf(newline)) if (rest.length > maxLineBytes || !(await more())) throw broken()
      try {
        return JSON.parse(Buffer.from(take(end + 1)).toString())
      } catch {
        throw broken()
      }
    },
    async *bytes(length: number): AsyncGenerator<Uint8Array> {
      for (let left = length; left > 0; ) {
        if (rest.length === 0 && !(await more())) throw broken()
        const piece = take(Math.min(left, rest.length))
        left -= piece.length
        yield piece
      }
    },
  }
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** Takes one object, whose `bytes` it reads to their end. */
type Keep = (entry: Entry, bytes: AsyncIterable<Uint8Array>) => Promise<void>

const isObject = (name: unknown, isFirst: boolean): name is string =>
  typeof name === 'string' && (isFirst ? name === 'database' : /^media\/[0-9A-Za-z]{20,64}$/.test(name))

/** Hands over the database, then each medium, and holds all digests. @throws Error, as a sentence, when anything was altered. */
export const readArchive = async (chunks: AsyncIterator<Uint8Array>, keep: Keep): Promise<Header> => {
  const reader = createReader(chunks)
  const header = (await reader.line()) as Header
  for (let objects = 0; ; objects++) {
    const before = reader.digest()
    const { name, size, end, sha256 } = await reader.line()
    if (end !== undefined) {
      if (objects === 0 || end !== objects || sha256 !== before || !(await reader.isAtEnd())) throw broken()
      return header
    }
    if (!isObject(name, objects === 0) || !isSize(size)) throw broken()
    const digest = createHash('sha256')
    const hashed = async function* () {
      for await (const piece of reader.bytes(size)) {
        digest.update(piece)
        yield piece
      }
    }
    await keep({ name, size }, hashed())
    if ((await reader.line()).sha256 !== digest.digest('hex')) throw broken()
  }
}
