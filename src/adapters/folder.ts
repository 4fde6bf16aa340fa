// A folder that is worked in: made if it is missing. Where it or a file in it cannot be used, a sentence says which and why.
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'there is a file of that name',
  ENOTDIR: 'a file is where a folder should be',
}
const reasonOf = (error: unknown): string => {
  const code = String((error as { code?: unknown }).code)
  return reasons[code] ?? code
}

/** Whose it is, where that is somebody else. */
const ownerOf = (path: string): string => {
  const [owner, us] = [statSync(path).uid, process.getuid?.()]
  return us === undefined || owner === us ? '' : `; it belongs to user ${owner}, and this is user ${us}`
}

const demandWritable = (path: string, mode: number): void => {
  try {
    accessSync(path, mode)
  } catch (error) {
    throw new Error(`${path} cannot be read and written: ${reasonOf(error)}${ownerOf(path)}.`)
  }
}

/** @throws Error, as a sentence for the operator. */
export const demandFolder = (path: string): void => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Error(`The folder ${path} is not there and cannot be made: ${reasonOf(error)}.`)
  }
  demandWritable(path, constants.R_OK | constants.W_OK | constants.X_OK)
}

/** It need not be there. @throws Error, as a sentence for the operator. */
export const demandFile = (path: string): void => {
  if (existsSync(path)) demandWritable(path, constants.R_OK | constants.W_OK)
}
