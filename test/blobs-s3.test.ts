import { test, describe } from 'bun:test'
import { createS3Blobs } from '../src/adapters/blobs-s3'
import { createS3 } from '../src/adapters/s3'
import { blobsContract } from './contract/blobs'
import { newS3Options } from './s3'
blobsContract('blobs on S3', async () => {
  const o = await newS3Options()
  return createS3Blobs({ s3: createS3(o), clock: o.clock, partBytes: () => 5 << 20 })
})
