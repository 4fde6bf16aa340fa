// A bucket: what S3 can do with objects under one prefix. Keys are ours, plain; what they are for is the caller's.
import { isFailure } from '../errors'
import { elementsOf, textOf } from '../lib/xml'
import type { ByteRange } from '../ports'
import { createS3Calls, type S3Answer, type S3Call, type S3Options } from './s3-calls'

export type S3Entry = { key: string; size: number; writtenAt: number }
export type S3Upload = { key: string; id: string; startedAt: number }
export type S3Part = { number: number; etag: string; size: number; writtenAt: number }
/** `size`: of the whole object. */
export type S3Piece = { size: number; etag: string; bytes: Uint8Array<ArrayBuffer> }

// AWS puts a large object together for minutes before it answers.
const completeMs = 300_000
const xmlOf = (etags: readonly string[]) =>
  `<CompleteMultipartUpload>${etags
    .map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`)
    .join('')}</CompleteMultipartUpload>`

// Some say a tag with its quotes, some without.
const bare = (etag: string) => etag.replace(/^"|"$/g, '')
const instantOf = (xml: string, name: string): number => Date.parse(textOf(xml, name))

/** The bytes of `range`, or of all there is. @throws Error where the answer is of another range, or has fewer. */
const pieceOf = ({ status, headers, bytes }: S3Answer, range: ByteRange | undefined): S3Piece => {
  const etag = headers.get('etag') ?? ''
  if (!range) return { size: bytes.length, etag, bytes }
  const [, from, of] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? []
  const [start, size] = status === 206 ? [Number(from), Number(of)] : [0, bytes.length]
  if (start !== range.start || bytes.length !== Math.min(range.end, size) - start) throw new Error('not what was asked')
  return { size, etag, bytes }
}

const unlessAbsent = (error: unknown): void => {
  if (!isFailure(error, 'not_found')) throw error
}

export type S3 = ReturnType<typeof createS3>

/**
 * Each call is asked again where that can help, and fails with Failure `not_found` (no such object or upload), `disk_full`
 * (no room, or no quota left) or `unavailable`, whose cause says what the bucket answered.
 */
export const createS3 = (options: S3Options) => {
  const { prefix } = options.place
  const { send, ask } = createS3Calls(options)
  const ours = (key: string) => key.slice(prefix.length)

  /** Page after page of a listing: `next` says with what query the next one is asked for. */
  async function* pages(
    call: S3Call,
    root: string,
    next: (xml: string) => Record<string, string>,
  ): AsyncIterable<string> {
    for (let query = call.query ?? {}; ; ) {
      const xml = await ask({ ...call, query }, root)
      yield xml
      if (textOf(xml, 'IsTruncated') !== 'true') return
      query = { ...call.query, ...next(xml) }
    }
  }

  async function* list(under: string, atOnce = 1000): AsyncIterable<S3Entry> {
    const query = { 'list-type': '2', prefix: prefix + under, 'max-keys': String(atOnce) }
    const next = (xml: string) => ({ 'continuation-token': textOf(xml, 'NextContinuationToken') })
    for await (const xml of pages({ method: 'GET', query }, 'ListBucketResult', next))
      for (const it of elementsOf(xml, 'Contents'))
        yield {
          key: ours(textOf(it, 'Key')),
          size: Number(textOf(it, 'Size')),
          writtenAt: instantOf(it, 'LastModified'),
        }
  }

  return {
    /** Stores a few bytes as one object, at once and whole. */
    put: async (key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
      await send({ method: 'PUT', key, body: bytes }, () => {})
    },

    /** A small object, or a small range that is not empty, whole. `etag`: only if it is still that one. */
    get(key: string, range?: ByteRange, etag?: string): Promise<S3Piece> {
      const headers = {
        ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
        ...(etag !== undefined && { 'if-match': etag }),
      }
      const call = { method: 'GET', key, headers, ...(range && { comes: range.end - range.start }) } as const
      return send(call, (answer) => pieceOf(answer, range))
    },

    /** How many bytes an object has; null where there is none. */
    async sizeOf(key: string): Promise<number | null> {
      for await (const entry of list(key, 1)) return entry.key === key ? entry.size : null
      return null
    },

    /** Safe to call for what is not there. */
    async remove(key: string): Promise<void> {
      await send({ method: 'DELETE', key }, () => {}).catch(unlessAbsent)
    },

    /** Objects whose keys begin so, in the order of their keys. */
    list: (under: string): AsyncIterable<S3Entry> => list(under),

    /** Multipart uploads that were begun for keys that begin so, and neither completed nor aborted. */
    async *uploads(under: string): AsyncIterable<S3Upload> {
      const query = { uploads: '', prefix: prefix + under }
      const next = (xml: string) => ({
        'key-marker': textOf(xml, 'NextKeyMarker'),
        'upload-id-marker': textOf(xml, 'NextUploadIdMarker'),
      })
      for await (const xml of pages({ method: 'GET', query }, 'ListMultipartUploadsResult', next))
        for (const it of elementsOf(xml, 'Upload'))
          yield { key: ours(textOf(it, 'Key')), id: textOf(it, 'UploadId'), startedAt: instantOf(it, 'Initiated') }
    },

    /** The parts that an upload has, in order. */
    async *parts(key: string, id: string): AsyncIterable<S3Part> {
      const next = (xml: string) => ({ 'part-number-marker': textOf(xml, 'NextPartNumberMarker') })
      for await (const xml of pages({ method: 'GET', key, query: { uploadId: id } }, 'ListPartsResult', next))
        for (const it of elementsOf(xml, 'Part'))
          yield {
            ...{ number: Number(textOf(it, 'PartNumber')), etag: bare(textOf(it, 'ETag')) },
            ...{ size: Number(textOf(it, 'Size')), writtenAt: instantOf(it, 'LastModified') },
          }
    },

    /** Begins a multipart upload; gives its id. */
    async begin(key: string): Promise<string> {
      const call = { method: 'POST', key, query: { uploads: '' } } as const
      return textOf(await ask(call, 'InitiateMultipartUploadResult'), 'UploadId')
    },

    /** Sends a part, of 5 MiB or more unless it is the last, numbered from 1; gives its tag, by which it is completed. */
    putPart(key: string, id: string, number: number, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
      const query = { partNumber: String(number), uploadId: id }
      return send({ method: 'PUT', key, query, body: bytes }, ({ headers }) => {
        const etag = bare(headers.get('etag') ?? '')
        if (!etag) throw new Error('a part without a tag')
        return etag
      })
    },

    /** Makes the object of its parts, at once and whole. @throws Failure `not_found` also where it was completed before. */
    async complete(key: string, id: string, etags: readonly string[]): Promise<void> {
      const call = { method: 'POST', key, query: { uploadId: id }, answerMs: completeMs } as const
      await ask({ ...call, body: Buffer.from(xmlOf(etags)) }, 'CompleteMultipartUploadResult')
    },

    /** Forgets an upload and its parts. Safe to call for what is not there. */
    async abort(key: string, id: string): Promise<void> {
      await send({ method: 'DELETE', key, query: { uploadId: id } }, () => {}).catch(unlessAbsent)
    },

    /** Resolves if the bucket is there and these keys may list it. Asks once. */
    async check(): Promise<void> {
      const query = { 'list-type': '2', prefix, 'max-keys': '1' }
      await ask({ method: 'GET', query, attempts: 1 }, 'ListBucketResult')
    },
  }
}
