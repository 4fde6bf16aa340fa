// Whether a disk has room for what comes, asked before: who is served from it must not find it full.
import { freeBytes, spareBytes } from '../adapters/disk-room'

const noRoom = (cause?: unknown) =>
  new Error('There is no room on the disk for this backup: nothing of it is used.', { cause })

/** @throws Error, as a sentence, where `bytes` more in `folder` would leave too little. */
export const demandRoom = async (folder: string, bytes: number): Promise<void> => {
  if ((await freeBytes(folder)) - bytes < spareBytes) throw noRoom()
}

const full = ['ENOSPC', 'EDQUOT', 'EFBIG', 'SQLITE_FULL', 'disk_full']
/** Says that a disk is full as what it means here. @throws Error, as a sentence, or `error` itself */
export const orFull = (error: unknown): never => {
  throw full.includes(String((error as { code?: unknown } | null)?.code)) ? noRoom(error) : error
}
