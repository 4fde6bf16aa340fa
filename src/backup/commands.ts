// The commands of backups, as an operator types them.
import { dirname } from 'node:path'
import { systemClock } from '../adapters/clock'
import { findMasterKeys } from '../adapters/master-key-file'
import { createS3 } from '../adapters/s3'
import type { Config, Secrets } from '../config'
import { allChains } from '../features/audit/chain'
import { type House, type Making, type Written, writeBackup } from './backup'
import { drillBackup } from './drill'
import { backupsOf, prune } from './keep'
import type { Live } from './live'
import { type MediaAt, sizesInBucket, sizesInFolder } from './media'
import { type Known, locate, nameOf, placeAt, readName, type Target } from './names'
import type { Place, Source } from './place'
import { restoreBackup } from './restore'
import { instanceAt } from './snapshot'
import { demandApart, demandOutside } from './target'
import type { Opening, Restored } from './unpack'

type Settings = { config: Config; secrets: Secrets }
type Say = (text: string) => void

const mediaOf = ({ config: { blobs, backupMedia }, secrets }: Settings): MediaAt => {
  if (blobs.kind === 's3') {
    const { origin, root, prefix } = blobs.place
    const s3 = createS3({ place: blobs.place, keys: secrets.s3!, fetch, clock: systemClock })
    return { kind: 'referenced', at: `${origin}${root}${prefix}`, sizes: sizesInBucket(s3) }
  }
  if (backupMedia === 'included') return { kind: 'included', folder: blobs.path }
  return { kind: 'referenced', at: `file:${encodeURI(blobs.path)}`, sizes: sizesInFolder(blobs.path) }
}

const houseOf = (settings: Settings): House => {
  const { config, secrets } = settings
  const { database, dataDir } = config
  const media = mediaOf(settings)
  if (database.kind === 'local')
    return { folder: dirname(database.path), database: { kind: 'local', path: database.path }, media }
  const { primaryToken: token, replicaToken: readToken } = secrets
  return { folder: dataDir, database: { kind: 'primary', url: database.url, token, readToken }, media }
}

const targetOf = ({ config, secrets }: Settings): Target | null =>
  config.backups && { to: config.backups.to, keys: secrets.backupS3 }

const knownTo = (settings: Settings): Known => ({
  keys: settings.secrets.backupS3,
  target: targetOf(settings),
  isProduction: settings.config.env === 'production',
})

/** Where they are made by themselves. @throws Error, as a sentence, where no such place is set. */
const scheduled = (settings: Settings): { place: Place; keep: number } => {
  const target = targetOf(settings)
  if (!target) throw new Error('Say where: LATCHKEY_BACKUP_TO is not set.')
  return { place: placeAt(target), keep: settings.config.backups!.keep }
}

// By how much clocks of machines may differ.
const skewMs = 3_600_000

const isName = (args: string[]): args is [string] => args.length === 1 && !args[0]!.startsWith('-')

const sourceOf = async (text: string, settings: Settings): Promise<Source> => {
  const { place, name } = locate(text, knownTo(settings))
  return place.open(name)
}

const openingOf = (secrets: Secrets): Opening => {
  const master = findMasterKeys(secrets.masterKeys)
  // One that is made now would open nothing.
  if (master === null)
    throw new Error(
      'A backup does not hold its master key: put its master.key into the data folder, or set LATCHKEY_MASTER_KEYS.',
    )
  return { identity: secrets.backupIdentity, master, clock: systemClock }
}

const tell = (say: Say, { header, media, damaged }: Restored, live?: Live | null) => {
  say(`Backup of ${new Date(header.createdAt).toISOString()} by ${header.version}, instance ${header.instance}.`)
  for (const [table, count] of Object.entries(header.counts))
    say(`  ${table}: ${count}${live ? `, live ${live.counts.get(table) ?? 'none'}` : ''}`)
  say(
    `  media objects: ${media - damaged.length} of ${media}${header.mediaAt === null ? '' : `, left at ${header.mediaAt}`}`,
  )
  for (const { id } of damaged) say(`  ${id}: its bytes are not those that were uploaded`)
}

const tellWritten = (say: Say, { media, leftOut, unopened, isKept }: Written, { house, recipient }: Making) => {
  for (const id of leftOut) say(`${id}: its bytes cannot be read, or are not those that were uploaded`)
  if (unopened > 0) say(`${unopened} sealed media were not opened to see what they are: their master key is not here`)
  if (!isKept) throw new Error('Not all media is sound: the backup that was there is left as it is.')
  const how = `${house.media.kind === 'referenced' ? ', by name' : ''}${recipient === null ? ', NOT ENCRYPTED' : ''}`
  say(`Backed up with ${media - leftOut.length} of ${media} media${how}.`)
  if (leftOut.length > 0) throw new Error('The backup is written, but not all media is sound.')
}

/** `latchkey backup [<file> | s3://…]`: without one, to where they are made by themselves, and keeps as many as are kept. */
export const backup = async (args: string[], settings: Settings, version: string, say: Say): Promise<void> => {
  if (args.length > 0 && !isName(args)) throw new Error('latchkey backup [<file> | s3://bucket/prefix/name?…]')
  const { config } = settings
  const now = Date.now()
  const house = houseOf(settings)
  const options = {
    house,
    recipient: config.backupRecipient,
    version,
    now,
    master: findMasterKeys(settings.secrets.masterKeys),
  }
  if (isName(args)) {
    if (!args[0].startsWith('s3://')) demandOutside(args[0], config)
    const { place, name } = locate(args[0], { ...knownTo(settings), target: null })
    return tellWritten(say, await writeBackup(place, () => name, options), options)
  }
  const { place, keep } = scheduled(settings)
  demandApart(config)
  const written = await writeBackup(place, (header) => nameOf({ ...header, at: now }), options)
  tellWritten(say, written, options)
  await prune(place, { ...written, at: now }, keep)
}

/** `latchkey backups` */
export const backups = async (settings: Settings, say: Say): Promise<void> => {
  const until = Date.now() + skewMs
  for (const name of await scheduled(settings).place.list()) {
    const named = readName(name)
    if (named) say(named.at > until ? `${name} (named for a time to come: it is not counted, and never removed)` : name)
  }
}

/** `latchkey restore <file> | s3://… | <name>` */
export const restore = async (args: string[], settings: Settings, say: Say): Promise<void> => {
  if (!isName(args)) throw new Error('latchkey restore <file> | s3://bucket/prefix/name?… | <name of latchkey backups>')
  const opening = openingOf(settings.secrets)
  const house = houseOf(settings)
  const restored = await restoreBackup(await sourceOf(args[0], settings), house, opening)
  tell(say, restored)
  if (house.media.kind === 'referenced' || restored.header.mediaAt !== null)
    say('Nothing is removed where the media is until you say that no other instance uses it: latchkey media take')
  say(`Restored. Everybody signs in anew; ${restored.suspended} API keys wait for: latchkey keys confirm --all | <id>…`)
}

/** The newest of this instance. */
const newest = async (settings: Settings): Promise<Source> => {
  const { place } = scheduled(settings)
  const instance = await instanceAt(houseOf(settings).database)
  const name = (instance && (await backupsOf(place, instance, Date.now() + skewMs)))?.at(-1)
  if (name === undefined) throw new Error('There is no backup of this instance where LATCHKEY_BACKUP_TO says.')
  return place.open(name)
}

/** `latchkey drill [<backup>]`; `audit` follows every audit chain of what was restored there. */
export const drill = async (
  args: string[],
  settings: Settings,
  audit: Parameters<typeof drillBackup>[3],
  say: Say,
): Promise<void> => {
  if (args.length > 0 && !isName(args)) throw new Error('latchkey drill [<file> | s3://bucket/prefix/name?… | <name>]')
  const opening = openingOf(settings.secrets)
  const source = isName(args) ? await sourceOf(args[0], settings) : await newest(settings)
  const report = await drillBackup(source, houseOf(settings), opening, audit)
  const strayed = report.live?.strayed ?? []
  // How many chains there are is signed as one more.
  const brokenOnes = report.brokenChains.filter((chain) => chain !== allChains)
  tell(say, report, report.live)
  if (!report.live) say('  not held against the live database: there is none, or it was restored since')
  say(`  audit chains: ${report.chains - brokenOnes.length} of ${report.chains} hold`)
  for (const chain of report.brokenChains) say(`  ${chain}: does not hold`)
  for (const chain of strayed) say(`  ${chain}: the live one does not go on from it`)
  if (!report.isSound || report.damaged.length > 0 || report.brokenChains.length > 0)
    throw new Error('This backup differs from what it says.')
  if (strayed.length > 0) throw new Error('The audit of this backup is no beginning of the live one.')
  say('The drill went well: it can be restored, and is what it says.')
}
