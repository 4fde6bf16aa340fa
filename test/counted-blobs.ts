// A store that counts the streams which hold their right.
import type { Blobs } from '../src/ports'

export const countStreams = (blobs: Blobs) => {
  let open = 0
  const counted: Blobs = {
    ...blobs,
    open: (key, size, range, hold) =>
      blobs.open(key, size, range, () => {
        const { signal, release } = hold()
        open++
        const end = () => {
          open--
          release()
        }
        return { signal, release: end }
      }),
  }
  return { counted, open: () => open }
}
