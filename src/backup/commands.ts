// The commands of backups, as an operator types them.
import { existsSync } from 'node:fs'
import { systemClock } from '../adapters/clock'
import { readMasterKeyFile } from '../adapters/master-key-file'
import type { Config, Secrets } from '../config'
import { type Places, writeBackup } from './backup'
import { drillBackup } from './drill'
import { type Opening, type Restored, restoreBackup } from './restore'

type Settings = { config: Config; secrets: Secrets }
type Say = (text: string) => void

const placesOf = ({ database, blobs }: Config): Places => {
  if (database.kind !== 'local')
    throw new Error('With LATCHKEY_PRIMARY_URL the database is the primary: back it up, and restore it, there.')
  return { database: database.path, media: blobs.path }
}

const oneFile = (args: string[], usage: string): string => {
  const [file, ...more] = args
  if (file === undefined || file.startsWith('-') || more.length > 0) throw new Error(usage)
  return file
}

const openingOf = ({ masterKeys, backupIdentity }: Secrets): Opening => {
  // One that is made now would open nothing.
  if (masterKeys.kind === 'file' && !existsSync(masterKeys.path))
    throw new Error(
      'A backup does not hold its master key: put its master.key into the data folder, or set LATCHKEY_MASTER_KEYS.',
    )
  const master = masterKeys.kind === 'given' ? masterKeys.keys : readMasterKeyFile(masterKeys.path)
  return { identity: backupIdentity, master, clock: systemClock }
}

const tell = (say: Say, { header, media, damaged }: Restored) => {
  say(`Backup of ${new Date(header.createdAt).toISOString()} by ${header.version}, instance ${header.instance}.`)
  for (const [table, count] of Object.entries(header.counts)) say(`  ${table}: ${count}`)
  say(`  media objects: ${media - damaged.length} of ${media}`)
  for (const id of damaged) say(`  ${id}: its bytes are not those that were uploaded`)
}

/** `latchkey backup <file>` */
export const backup = async (args: string[], { config }: Settings, version: string, say: Say): Promise<void> => {
  const file = oneFile(args, 'latchkey backup <file>')
  const recipient = config.backupRecipient
  const { media, leftOut } = await writeBackup(file, { places: placesOf(config), recipient, version, now: Date.now() })
  for (const id of leftOut) say(`${id}: its bytes are not those that were uploaded`)
  say(`Backed up with ${media - leftOut.length} of ${media} media${recipient === null ? ', NOT ENCRYPTED' : ''}.`)
  if (leftOut.length > 0) throw new Error('The backup is written, but not all media is sound.')
}

/** `latchkey restore <file>` */
export const restore = async (args: string[], { config, secrets }: Settings, say: Say): Promise<void> => {
  const file = oneFile(args, 'latchkey restore <file>')
  const places = placesOf(config)
  const restored = await restoreBackup(file, places, openingOf(secrets))
  tell(say, restored)
  say(`Restored. Everybody signs in anew; ${restored.suspended} API keys wait for: latchkey keys confirm --all | <id>…`)
}

/** `latchkey drill <file>`; `audit` follows every audit chain of an instance that is at other places. */
export const drill = async (
  args: string[],
  { config, secrets }: Settings,
  audit: Parameters<typeof drillBackup>[3],
  say: Say,
): Promise<void> => {
  const file = oneFile(args, 'latchkey drill <file>')
  const report = await drillBackup(file, placesOf(config).database, openingOf(secrets), audit)
  tell(say, report)
  say(`  audit chains: ${report.chains - report.brokenChains.length} of ${report.chains} hold`)
  for (const chain of report.brokenChains) say(`  ${chain}: does not hold`)
  if (!report.isSound || report.damaged.length > 0 || report.brokenChains.length > 0)
    throw new Error('This backup differs from what it says.')
  say('The drill went well: it can be restored, and is what it says.')
}
