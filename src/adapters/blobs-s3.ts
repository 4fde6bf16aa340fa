// Blobs in a bucket: staged as a multipart upload, published by completing it. What `save` could not send as a part of its own
// waits beside as a tail.

import { Failure, isFailure } from '../errors'
import { isBlobKey } from '../lib/blob-key'
import { sha256 } from '../lib/crypto'
import { randomBase62 } from '../lib/id'
import { free } from '../lib/memory'
import { playerBytes } from '../lib/range'
import type { Blobs, Pour, StagedBlob } from '../ports'
import { alreadyPublished } from './already-published'
import type { S3 } from './s3'
import { pieceBytes, readS3 } from './s3-read'
import { createS3Writer, partBytesFor, type S3Begun } from './s3-write'

type Options = { s3: S3; pour: Pour; partBytes?: (expectedBytes: number | null) => number }

/**
 * What `save` gives. `tails`: names, newest first, of which the first has `tail` bytes. `sum` is over the tags of the parts:
 * where another writer has replaced one, nothing is resumed.
 */
type Saved = { id: string | null; parts: number; partBytes: number; tail: number; tails: string[]; sum: string }

// Each save has a tail of its own: one that was given up, and comes late, replaces no other. It is not known here whether
// the last two were noted by whoever saved them.
const keptTails = 3

const writeBytes = 256 * 1024

const ownerKey = 'owner'
const objectOf = (key: string): string => {
  if (!isBlobKey(key)) throw new Error('not the key of an object')
  return `objects/${key}`
}
const keyOf = (path: string): string => path.split('/')[1] ?? ''
const tailOf = (key: string, name: string) => `staged/${key}/${name}`
const sumOf = (etags: readonly string[]) => sha256(etags.join())

/** Memory for each upload: a part, 8 MiB unless more than 80 GB are announced. */
export const createS3Blobs = ({ s3, pour, partBytes: sizeFor = partBytesFor }: Options): Blobs => {
  const removeTails = async (key: string): Promise<void> => {
    for await (const { key: tail } of s3.list(`staged/${key}/`)) await s3.remove(tail)
  }

  const createStaged = (key: string, partBytes: number, former: string[] = [], begun?: S3Begun): StagedBlob => {
    const writer = createS3Writer(s3, objectOf(key), partBytes, begun)
    let [tails, published, savedId] = [former, false, begun?.id ?? null]
    return {
      write: writer.write,
      async save() {
        const [{ id, etags }, tail] = [writer.upload(), writer.tail()]
        tails = [randomBase62(10), ...tails]
        await s3.put(tailOf(key, tails[0]!), tail)
        savedId = id
        for (const old of tails.splice(keptTails)) await s3.remove(tailOf(key, old))
        const saved: Saved = { id, parts: etags.length, partBytes, tail: tail.length, tails, sum: sumOf(etags) }
        return JSON.stringify(saved)
      },
      async publish() {
        await writer.complete()
        published = true
        // What stays of them is collected some day.
        if (tails.length > 0) await removeTails(key).catch(() => {})
      },
      async pause() {
        writer.release()
        // Begun after the last save: nobody resumes that.
        if (!published && writer.upload().id !== savedId) await writer.abort().catch(() => {})
      },
      async discard() {
        writer.release()
        if (published) return
        await writer.abort()
        if (tails.length > 0) await removeTails(key)
      },
    }
  }

  /** What was saved, as the bucket still has it. @throws Failure `not_found` where it has not. */
  const find = async (key: string, { id, parts, tail, tails: [name = ''], sum }: Saved): Promise<S3Begun> => {
    const kept = id === null ? [] : await Array.fromAsync(s3.parts(objectOf(key), id))
    const etags = kept.slice(0, parts).map(({ etag }) => etag)
    const { bytes } = await s3.get(tailOf(key, name), tail > 0 ? { start: 0, end: tail } : undefined)
    if (bytes.length !== tail || sumOf(etags) !== sum) throw new Failure('not_found')
    return { id, etags, tail: bytes }
  }

  /** Keys of what is staged, with the instant of the last write to each, and the uploads that belong to it. */
  const findStaged = async () => {
    const found = new Map<string, { at: number; ids: string[] }>()
    const note = (key: string, at: number, id?: string) => {
      const { at: before, ids } = found.get(key) ?? { at: 0, ids: [] }
      found.set(key, { at: Math.max(at, before), ids: id === undefined ? ids : [...ids, id] })
    }
    for await (const { key, writtenAt } of s3.list('staged/')) note(keyOf(key), writtenAt)
    for await (const { key, id, startedAt } of s3.uploads('objects/')) note(keyOf(key), startedAt, id)
    return found
  }
  const lastPartAt = async (key: string, ids: readonly string[]): Promise<number> => {
    let last = 0
    for (const id of ids)
      for await (const { writtenAt } of s3.parts(objectOf(key), id)) last = Math.max(last, writtenAt)
    return last
  }

  return {
    stage: async (key, expectedBytes) => {
      objectOf(key)
      return createStaged(key, sizeFor(expectedBytes))
    },
    async resume(key, text) {
      const saved: Saved = JSON.parse(text)
      try {
        return createStaged(key, saved.partBytes, saved.tails, await find(key, saved))
      } catch (error) {
        if (isFailure(error, 'not_found') && (await s3.sizeOf(objectOf(key))) !== null) return alreadyPublished
        throw error
      }
    },
    async open(key, size, { start, end }, hold) {
      const path = objectOf(key)
      // No range can ask for nothing.
      const atOnce = end - start <= playerBytes ? end : start + pieceBytes
      const first = start < end ? await s3.get(path, { start, end: atOnce }) : null
      if ((first?.size ?? (await s3.sizeOf(path))) !== size) throw new Failure('not_found')
      if (!first) return new Uint8Array(0)
      if (atOnce === end) return first.bytes
      return pour(async (write) => {
        const { signal, release } = hold()
        try {
          for await (const bytes of readS3(s3, path, { start, end }, first)) {
            for (let at = 0; at < bytes.length; at += writeBytes) {
              signal.throwIfAborted()
              await write(bytes.subarray(at, at + writeBytes))
            }
            free(bytes)
          }
        } finally {
          release()
        }
      })
    },
    remove: (key) => s3.remove(objectOf(key)),
    async *list(before) {
      for await (const { key, writtenAt } of s3.list('objects/')) if (writtenAt < before) yield keyOf(key)
    },
    async discardStaged(before, signal) {
      let count = 0
      for (const [key, { at, ids }] of await findStaged()) {
        if (signal?.aborted) break
        if (at >= before || (await lastPartAt(key, ids)) >= before) continue
        for (const id of ids) await s3.abort(objectOf(key), id)
        await removeTails(key)
        count++
      }
      return count
    },
    owner: () =>
      s3.get(ownerKey).then(
        ({ bytes }) => new TextDecoder().decode(bytes),
        (error) => {
          if (isFailure(error, 'not_found')) return null
          throw error
        },
      ),
    setOwner: (text) => s3.put(ownerKey, Buffer.from(text)),
    check: s3.check,
  }
}
