// Who owns the place where media is kept: an instance removes nothing where another keeps its own, nor where it did itself before
// it was restored.
import type { Blobs } from '../../ports'

/** Which instance this is, and since when (ms) it is as it was restored; `generation` is small for one that never was. */
export type InstanceOf = () => Promise<{ instance: string; generation: number }>

export const createOwner = ({ blobs, instanceOf }: { blobs: Blobs; instanceOf: InstanceOf }) => {
  const ours = async () => {
    const { instance, generation } = await instanceOf()
    return `${instance} ${generation}`
  }
  return {
    /** Makes the place ours if it is nobody's. @throws Error, as a sentence for the operator, where it is another's. */
    async demand(): Promise<void> {
      const [owner, us] = [await blobs.owner(), await ours()]
      if (owner === null) await blobs.setOwner(us)
      else if (owner !== us)
        throw new Error(
          'Nothing is removed where the media is: it belongs to another instance, or to this one before it was restored. If no other uses it any more, say so: latchkey media take.',
        )
    },
    /** Makes the place ours, by the operator's word that no other instance uses it any more. */
    take: async (): Promise<void> => blobs.setOwner(await ours()),
  }
}
export type Owner = ReturnType<typeof createOwner>
