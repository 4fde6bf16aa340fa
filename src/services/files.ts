// Everything about files, put together: how they come in, how they lie, who gets them, and when they go.
import type { Config } from '../config'
import { linkService } from '../features/media/links'
import { createOwner, type InstanceOf } from '../features/media/owner'
import { createReads } from '../features/media/reads'
import { mediaService } from '../features/media/service'
import { createShelf } from '../features/media/shelf'
import { createMediaSweeper } from '../features/media/sweeper'
import type { QuotaService } from '../features/quotas/service'
import { createUploads } from '../features/uploads/uploads'
import type { Keyring } from '../keyring'
import { createWorkspaceKeys } from '../keyring/workspace-keys'
import type { Traffic } from '../limits/traffic'
import type { Blobs, Clock, Database, Log, Pour } from '../ports'
import type { Revocations } from '../revocation'
import type { Unaudited, Write } from '../write'

type Parts = {
  base: { db: Database; write: Write; unaudited: Unaudited; clock: Clock }
  blobs: Blobs
  pour: Pour
  keyring: Keyring
  log: Log
  revocations: Revocations
  quotas: QuotaService
  traffic: Traffic
  instanceOf: InstanceOf
}

const slowestUpload = { minBytes: 2048 * 60, windowMs: 60_000 }

export const createFiles = ({ mediaMaxBytes: maxBytes, mediaEncryption: encryption }: Config, parts: Parts) => {
  const { base, blobs, pour, keyring, log, revocations, quotas, traffic, instanceOf } = parts
  const shelf = createShelf({
    blobs,
    pour,
    log,
    encryption,
    keys: createWorkspaceKeys({ ...base, keyring, revocations }),
  })
  const reads = createReads(base)
  const media = mediaService({ ...base, pour, shelf, revocations, quotas, traffic, reads })
  const { finalize, replaceable, versionOf } = media
  const limits = { maxBytes, floor: slowestUpload }
  const uploads = createUploads({ ...base, shelf, revocations, quotas, traffic, finalize, replaceable, limits })
  const links = linkService({ ...base, keyring, versionOf })
  const mediaOwner = createOwner({ blobs, instanceOf })
  const sweepMedia = createMediaSweeper({ ...base, blobs, owner: mediaOwner, instanceOf })
  return { media, uploads, links, reads, mediaOwner, sweepMedia }
}
