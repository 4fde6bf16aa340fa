// A map that keeps the entries used of late and forgets the rest.

/**
 * `max`: how many entries it holds at most; the last `max / 2` different ones used are always among them. Two generations,
 * since a hit then only reads: moving each to the end of one map took as long as all else in finding who asks.
 */
export const createLru = <K, V>(max: number) => {
  let young = new Map<K, V>()
  let old = new Map<K, V>()

  const set = (key: K, value: V): void => {
    young.set(key, value)
    if (young.size * 2 < max) return
    old = young
    young = new Map()
  }

  return {
    get: (key: K): V | undefined => {
      const value = young.get(key)
      if (value !== undefined) return value
      const kept = old.get(key)
      if (kept !== undefined) set(key, kept)
      return kept
    },
    set,
    delete: (key: K): void => {
      young.delete(key)
      old.delete(key)
    },
  }
}
