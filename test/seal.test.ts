// Sealed objects: what went in comes out in every range, and nothing that is not exactly that.

import { createDiskBlobs } from '../src/adapters/blobs-disk'
import { randomBytes } from '../src/lib/crypto'
import { blobsContract } from './contract/blobs'
import { sealAll } from './sealed'
import { newFolder } from './template'

blobsContract('sealed blobs on disk', async () => sealAll(createDiskBlobs({ folder: newFolder() }), randomBytes(32)))
