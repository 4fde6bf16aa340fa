// The room that is left on a disk.
import { statfs } from 'node:fs/promises'
import { Failure } from '../errors'

/** What uploads and backups leave free, for all else that is written there. */
export const spareBytes = 64 * 1024 * 1024

/** How many bytes may still be written to the disk of `folder`. */
export const freeBytes = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** @throws Failure `disk_full` where fewer than `least` bytes are `free` */
export const demandRoom = async (free: Promise<number>, least: number): Promise<void> => {
  if ((await free) < least) throw new Failure('disk_full')
}
