// Work that comes in portions, done until there is no more of it.

/**
 * Does `work` for each that `due` gives, and asks anew until it gives none: what was done is no longer due. Stops between two
 * when `signal` aborts.
 */
export const eachDue = async <T>(
  due: () => Promise<readonly T[]>,
  work: (one: T) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> => {
  for (let some = await due(); some.length > 0; some = await due())
    for (const one of some) {
      if (signal?.aborted) return
      await work(one)
    }
}
