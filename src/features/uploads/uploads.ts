// The parts of uploads, put together: both ways in share their rights, their quota and their end.

import type { Traffic } from '../../limits/traffic'
import type { Clock, Database } from '../../ports'
import type { Revocations } from '../../revocation'
import type { Unaudited, Write } from '../../write'
import type { Finalize } from '../media/finalize'
import type { MediaService } from '../media/service'
import type { Shelf } from '../media/shelf'
import type { QuotaService } from '../quotas/service'
import { createUploadExpiry } from './expiry'
import { createParts } from './part'
import type { Limits } from './receive'
import { createSendRight } from './right'
import { createRooms } from './room'
import { uploadService } from './service'
import { uploadStore } from './store'
import { createTurns } from './turns'
import { createWholeUploads } from './whole'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  shelf: Shelf
  clock: Clock
  revocations: Revocations
  quotas: Pick<QuotaService, 'take' | 'give'>
  finalize: Finalize
  replaceable: MediaService['replaceable']
  limits: Limits
  traffic: Pick<Traffic, 'incoming'>
}

export const createUploads = (deps: Deps) => {
  const { maxBytes, floor } = deps.limits
  const store = uploadStore(deps.db)
  const [rights, rooms] = [createSendRight(deps.revocations), createRooms({ ...deps, store })]
  const [turns, parts] = [createTurns({ ...deps, store }), createParts({ ...deps, store, floor })]
  return {
    maxBytes,
    /** A file in one request. */
    whole: createWholeUploads({ ...deps, rights, rooms }),
    /** Files that may take several. */
    service: uploadService({ ...deps, store, turns, parts, rights, maxBytes }),
    /** Before the database closes. */
    stop: turns.stop,
    expire: createUploadExpiry({ ...deps, store, isWriting: turns.isWriting }),
  }
}
