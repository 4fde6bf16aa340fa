// A floor for how slowly something may move.

export type Floor = { minBytes: number; windowMs: number }

/** Calls `stalled` when fewer than `minBytes` have moved within a window of `windowMs`, until it is ended. */
export const keepPace = ({ minBytes, windowMs }: Floor, stalled: () => void) => {
  let bytes = 0
  const timer = setInterval(() => {
    if (bytes < minBytes) stalled()
    bytes = 0
  }, windowMs)
  return {
    moved: (count: number): void => {
      bytes += count
    },
    end: () => clearInterval(timer),
  }
}
