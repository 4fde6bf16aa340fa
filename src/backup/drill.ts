// `latchkey drill`: restores a backup beside, into a folder that is gone afterwards, and holds it against what it says and what is live.
import { join } from 'node:path'
import type { House } from './backup'
import { compareWithLive, type Live } from './live'
import type { Source } from './place'
import { instanceAt, isSound } from './snapshot'
import { type Opening, type Restored, type Staged, unpack } from './unpack'
import { hidden, withWorkplace } from './workplace'

// A database may hold what steers a terminal.
const shown = (chain: string) => chain.replace(/[^\x20-\x7e]/g, '?')

/** `live`: null where there is none, or one that was restored since. */
type Report = Restored & { isSound: boolean; chains: number; brokenChains: string[]; live: Live | null }
type Audited = { chains: number; broken: { chain: string }[] }

/**
 * `house`: what this should be a backup of, if it is there. `audit` follows every audit chain of what was restored.
 * @throws Error, as a sentence, for a backup that does not hold, or of another instance.
 */
export const drillBackup = (
  source: Source,
  house: House,
  opening: Opening,
  audit: (staged: Staged) => Promise<Audited>,
): Promise<Report> =>
  withWorkplace(join(house.folder, hidden.drill), 'Another drill is under way here.', async (folder) => {
    const staged = { database: join(folder, 'database', 'latchkey.db'), media: join(folder, 'media') }
    const restored = await unpack({ source, media: house.media }, staged, opening)
    const ours = await instanceAt(house.database)
    if (ours && ours.instance !== restored.header.instance) throw new Error('This backup is of another instance.')
    const isComparable = ours?.generation === restored.header.generation
    const found = isComparable ? await compareWithLive(staged.database, house.database) : null
    const live = found && { ...found, strayed: found.strayed.map(shown) }
    const { chains, broken } = await audit(staged)
    const brokenChains = broken.map(({ chain }) => shown(chain))
    return { ...restored, isSound: isSound(staged.database), chains, brokenChains, live }
  })
