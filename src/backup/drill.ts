// `latchkey drill`: restores a backup beside, into a folder that is gone afterwards, and holds it against what it says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { House } from './backup'
import type { Source } from './place'
import { instanceAt, isSound } from './snapshot'
import { type Opening, type Restored, type Staged, unpack } from './unpack'

// A database may hold what steers a terminal.
const shown = ({ chain }: { chain: string }) => chain.replace(/[^\x20-\x7e]/g, '?')

type Report = Restored & { isSound: boolean; chains: number; brokenChains: string[] }
type Audited = { chains: number; broken: { chain: string }[] }

/**
 * `house`: what this should be a backup of, if it is there. `audit` follows every audit chain of what was restored.
 * @throws Error, as a sentence, for a backup that does not hold, or of another instance.
 */
export const drillBackup = async (
  source: Source,
  house: House,
  opening: Opening,
  audit: (staged: Staged) => Promise<Audited>,
): Promise<Report> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-drill-'))
  try {
    const staged = { database: join(folder, 'database', 'latchkey.db'), media: join(folder, 'media') }
    const restored = await unpack({ source, media: house.media }, staged, opening)
    const ours = await instanceAt(house.database)
    if (ours && ours.instance !== restored.header.instance) throw new Error('This backup is of another instance.')
    const { chains, broken } = await audit(staged)
    return { ...restored, isSound: isSound(staged.database), chains, brokenChains: broken.map(shown) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
