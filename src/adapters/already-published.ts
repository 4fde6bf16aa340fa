// A staged object whose publishing was not heard of: there is nothing left to do with it.
import type { StagedBlob } from '../ports'

const nothing = async () => {}
const over = () => Promise.reject(new Error('written after its end'))

export const alreadyPublished: StagedBlob = {
  isPublished: true,
  ...{ write: over, save: over, publish: nothing, pause: nothing, discard: nothing },
}
