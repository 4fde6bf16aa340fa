// Development's master key: made at the first start and kept beside the data, readable by its owner alone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { randomBytes } from '../lib/crypto'
import { type MasterKeys, parseMasterKeys } from '../master-keys'

const isTaken = (error: unknown) => (error as { code?: string }).code === 'EEXIST'

/** The keys in the file at `path`, which is made (mode 0600) with a new one where there is none. */
export const readMasterKeyFile = (path: string): MasterKeys => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    const made = `development:${Buffer.from(randomBytes(32)).toString('base64')}`
    writeFileSync(path, `${made}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!isTaken(error)) throw error
  }
  return parseMasterKeys(readFileSync(path, 'utf8'))
}
