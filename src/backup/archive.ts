// The inside of a backup: a line that says what it is, then objects, each with its size before and its SHA-256 after it.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isBlobKey } from '../lib/blob-key'
import { type BackupFile, broken } from './file'

/** What a backup says of itself, `counts` by table. Instants are ms. `masterKids`: master keys it cannot be read without. */
export type Header = z.infer<typeof headerShape>
export type Entry = z.infer<typeof entryShape>

// It is shown in terminals: nothing in it may steer one.
const text = z.string().regex(/^[\x20-\x7e]+$/)
const count = z.int().min(0)
// To the end of the year 9999: names of backups have no room for more.
const instant = count.max(253_402_300_799_999)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const headerShape = z.strictObject({
  version: text,
  instance: text,
  generation: instant,
  createdAt: instant,
  masterKids: z.array(text),
  migrations: z.array(text),
  counts: z.record(text, count),
  /** SHA-256 over all heads of the audit, in order. */
  auditHeads: sha256,
  /** Where the media was that is only referred to, by the keys in the database; null: it is in here. */
  mediaAt: text.nullable(),
})
const isEntry = (name: string) => name === 'database' || (name.startsWith('media/') && isBlobKey(name.slice(6)))
const entryShape = z.strictObject({ name: z.string().refine(isEntry), size: count })
const digestShape = z.strictObject({ sha256 })
const nextShape = z.union([entryShape, z.strictObject({ end: count, sha256 })])

/** Reads into `into` from there on; gives how many bytes, which is 0 at the end. */
export type ReadAt = (into: Uint8Array, at: number) => Promise<number>

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
    /** Adds the first `size` bytes; gives their SHA-256 (hex). @throws Error where there are fewer. */
    async add({ name, size }: Entry, read: ReadAt): Promise<string> {
      const [digest, buffer] = [createHash('sha256'), Buffer.alloc(pieceBytes)]
      await line({ name, size })
      for (let at = 0; at < size; ) {
        const length = await read(buffer.subarray(0, Math.min(pieceBytes, size - at)), at)
        if (length === 0) throw new Error('A file became shorter while it was backed up.')
        const piece = buffer.subarray(0, length)
        digest.update(piece)
        await put(piece)
        at += length
      }
      const sha256 = digest.digest('hex')
      await line({ sha256 })
      objects++
      return sha256
    },
    end: () => file.write(Buffer.from(`${JSON.stringify({ end: objects, sha256: total.copy().digest('hex') })}\n`)),
  }
}

export type Archive = ReturnType<typeof createArchive>

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
    async line<T>(shape: z.ZodType<T>): Promise<T> {
      let end = rest.indexOf(newline)
      for (; end < 0; end = rest.indexOf(newline)) if (rest.length > maxLineBytes || !(await more())) throw broken()
      try {
        return shape.parse(JSON.parse(Buffer.from(take(end + 1)).toString()))
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

/** What a backup says of itself, unverified. @throws Error, as a sentence */
export const readHeader = async (chunks: AsyncGenerator<Uint8Array>): Promise<Header> =>
  createReader(chunks)
    .line(headerShape)
    .finally(() => chunks.return(undefined))

/** Takes one object, whose `bytes` it reads to their end. */
type Keep = (entry: Entry, bytes: AsyncIterable<Uint8Array>) => Promise<void>

/** Hands over the database, then each medium once, in the order of names, and holds all digests. @throws Error, as a sentence, when anything was altered. */
export const readArchive = async (chunks: AsyncIterator<Uint8Array>, keep: Keep): Promise<Header> => {
  const reader = createReader(chunks)
  const header = await reader.line(headerShape)
  for (let objects = 0, last = ''; ; objects++) {
    const before = reader.digest()
    const next = await reader.line(nextShape)
    if ('end' in next) {
      if (objects === 0 || next.end !== objects || next.sha256 !== before || !(await reader.isAtEnd())) throw broken()
      return header
    }
    const { name, size } = next
    if (objects === 0 ? name !== 'database' : name <= last) throw broken()
    last = name
    const digest = createHash('sha256')
    const hashed = async function* () {
      for await (const piece of reader.bytes(size)) {
        digest.update(piece)
        yield piece
      }
    }
    await keep({ name, size }, hashed())
    if ((await reader.line(digestShape)).sha256 !== digest.digest('hex')) throw broken()
  }
}
