// Backups in a bucket: each one object, which is there once all its parts are.
import { systemClock } from '../adapters/clock'
import type { S3 } from '../adapters/s3'
import { readS3 } from '../adapters/s3-read'
import { createS3Writer, partBytesFor } from '../adapters/s3-write'
import { Failure } from '../errors'
import { noBackup, type Place } from './place'

const dayMs = 86_400_000
// Nobody writes one for longer: what was begun before, and never ended, was killed.
const unfinishedAfterMs = 7 * dayMs

/** Says what a bucket did not do. @throws Error, as a sentence, or `error` itself */
export const told = (error: unknown): never => {
  if (!(error instanceof Failure)) throw error
  if (error.code === 'disk_full') throw new Error('The bucket has no room left for this backup.', { cause: error })
  const cause = error.cause instanceof Error ? error.cause.message : 'it did not answer'
  throw new Error(`The bucket did not do its part: ${cause}.`, { cause: error })
}

async function* inWords(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces
  } catch (error) {
    told(error)
  }
}

/** The place of `s3`, whose prefix is for backups alone. */
export const createBucketPlace = (s3: S3): Place => ({
  async create(name, expectedBytes) {
    const writer = createS3Writer(s3, name, partBytesFor(expectedBytes))
    return {
      write: (bytes) => writer.write(bytes).catch(told),
      publish: () => writer.complete().catch(told),
      discard: () => writer.abort().catch(() => {}),
    }
  },
  async open(name) {
    const size = await s3.sizeOf(name).catch(told)
    if (size === null) throw noBackup()
    return { size, bytes: inWords(readS3(s3, name, { start: 0, end: size })) }
  },
  has: async (name) => (await s3.sizeOf(name).catch(told)) !== null,
  async list() {
    const names = await Array.fromAsync(s3.list('latchkey-'), ({ key }) => key).catch(told)
    return names.filter((name) => !name.includes('/')).sort()
  },
  remove: (name) => s3.remove(name).catch(told),
  async sweep(beginning) {
    const before = systemClock.now() - unfinishedAfterMs
    const old = (await Array.fromAsync(s3.uploads(beginning)).catch(told)).filter(({ startedAt }) => startedAt < before)
    for (const { key, id } of old) await s3.abort(key, id).catch(told)
  },
})
