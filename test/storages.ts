// Where media can be: what is promised of it holds in each of these. `options` is what `testApp` is given for one.
import { createS3Blobs } from '../src/adapters/blobs-s3'
import { pour } from '../src/adapters/pour'
import { createS3 } from '../src/adapters/s3'
import { hasS3, newS3Options } from './s3'
import type { testApp } from './support'

type Storage = { name: string; options: () => Promise<NonNullable<Parameters<typeof testApp>[0]>> }

const inBucket = async () => {
  const options = await newS3Options()
  return { blobs: createS3Blobs({ s3: createS3(options), pour }) }
}

const sealed = { env: { LATCHKEY_MEDIA_ENCRYPTION: 'on' } }

export const storages: readonly Storage[] = [
  { name: 'on disk', options: async () => ({}) },
  { name: 'sealed on disk', options: async () => sealed },
  ...(hasS3()
    ? [
        { name: 'in a bucket', options: inBucket },
        { name: 'sealed in a bucket', options: async () => ({ ...sealed, ...(await inBucket()) }) },
      ]
    : []),
]
