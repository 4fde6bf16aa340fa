// Whose the place of the media is: an instance removes nothing where another keeps its own, nor where it did before it was restored.
import type { Blobs } from '../../ports'

/** Which instance this is, and since when (ms) it is as it was restored; `generation` is small for one that never was. */
export type InstanceOf = () => Promise<{ instance: string; generation: number }>

export const createOwner = ({ blobs, instanceOf }: { blobs: Blobs; instanceOf: InstanceOf }) => {
  const take = async (): Promise<void> => {
    const { instance, generation } = await instanceOf()
    await blobs.setOwner(`${instance} ${generation}`)
  }
  const find = async () => {
    const [owner, { instance, generation }] = await Promise.all([blobs.owner(), instanceOf()])
    if (owner !== null && owner !== `${instance} ${generation}`)
      throw new Error(
        'Nothing is removed where the media is: it belongs to another instance, or to this one before it was restored. If no other uses it any more, say so: latchkey media take.',
      )
    return owner
  }
  return {
    /** @throws Error, as a sentence for the operator, where it is another's. */
    check: async (): Promise<void> => void (await find()),
    /** Makes the place ours if it is nobody's. @throws Error, as a sentence for the operator, where it is another's. */
    async demand(): Promise<void> {
      if ((await find()) === null) await take()
    },
    /** Makes the place ours, by the operator's word that no other instance uses it any more. */
    take,
  }
}
export type Owner = ReturnType<typeof createOwner>
