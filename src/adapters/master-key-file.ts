// The master keys: as given, or development's, made at the first start and kept beside the data, readable by its owner alone.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Secrets } from '../config'
import { type MasterKeys, parseMasterKeys } from '../keyring/master-keys'
import { randomBytes } from '../lib/crypto'

const isTaken = (error: unknown) => (error as { code?: string }).code === 'EEXIST'

const makeFile = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    const made = `development:${Buffer.from(randomBytes(32)).toString('base64')}`
    writeFileSync(path, `${made}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!isTaken(error)) throw error
  }
}

/** The keys that are given, or those in the file; null where there is none. */
export const findMasterKeys = (from: Secrets['masterKeys']): MasterKeys | null => {
  if (from.kind === 'given') return from.keys
  return existsSync(from.path) ? parseMasterKeys(readFileSync(from.path, 'utf8')) : null
}

/** The same; where there is no file, one is made (mode 0600) with a new key. */
export const readMasterKeys = (from: Secrets['masterKeys']): MasterKeys => {
  if (from.kind === 'file') makeFile(from.path)
  return findMasterKeys(from)!
}
