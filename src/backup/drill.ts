// `latchkey drill`: restores a backup beside, into a folder that is gone afterwards, and holds it against what it says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Places } from './backup'
import { type Opening, type Restored, unpack } from './restore'
import { instanceOf, isSound } from './snapshot'

type Report = Restored & { isSound: boolean; chains: number; brokenChains: string[] }
type Audited = { chains: number; broken: { chain: string }[] }

/**
 * `live`: the database this should be a backup of, if it is here. `audit` follows every audit chain of what was restored.
 * @throws Error, as a sentence, for a backup that does not hold, or of another instance.
 */
export const drillBackup = async (
  path: string,
  live: string,
  opening: Opening,
  audit: (places: Places) => Promise<Audited>,
): Promise<Report> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-drill-'))
  try {
    const places = { database: join(folder, 'latchkey.db'), media: join(folder, 'media') }
    const restored = await unpack(path, places, opening)
    const ours = instanceOf(live)
    if (ours !== null && ours !== restored.header.instance) throw new Error('This backup is of another instance.')
    const { chains, broken } = await audit(places)
    return { ...restored, isSound: isSound(places.database), chains, brokenChains: broken.map(({ chain }) => chain) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
