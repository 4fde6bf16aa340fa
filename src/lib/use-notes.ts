// When things were last used, noted in memory and written now and then: no request waits for it.

/** So many are written in one batch at most: nothing else waits long for the one writer. */
const atOnce = 1000

/** `note(id)` keeps the latest use of each id; `flush` hands over what is new, and keeps it if that fails. */
export const createUseNotes = (clock: { now(): number }) => {
  let notes = new Map<string, number>()
  return {
    note: (id: string): void => {
      notes.set(id, clock.now())
    },
    /** Latest unwritten use of an id (ms since 1970), 0 if none. */
    last: (id: string): number => notes.get(id) ?? 0,
    flush: async (save: (batch: [id: string, at: number][]) => Promise<unknown>): Promise<void> => {
      const taken = [...notes]
      notes = new Map()
      while (taken.length > 0) {
        try {
          await save(taken.slice(0, atOnce))
        } catch (error) {
          for (const [id, at] of taken) notes.set(id, Math.max(at, notes.get(id) ?? 0))
          throw error
        }
        taken.splice(0, atOnce)
      }
    },
  }
}
