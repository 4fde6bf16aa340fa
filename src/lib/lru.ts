// A map that keeps the most recently used entries and forgets the rest.

/** `max`: how many entries it holds at most. A Map remembers the order of insertion, which is all this needs. */
export const createLru = <K, V>(max: number) => {
  const map = new Map<K, V>()
  return {
    get: (key: K): V | undefined => {
      const value = map.get(key)
      if (value === undefined) return undefined
      map.delete(key)
      map.set(key, value)
      return value
    },
    set: (key: K, value: V): void => {
      map.delete(key)
      map.set(key, value)
      if (map.size > max) map.delete(map.keys().next().value as K)
    },
    delete: (key: K): void => {
      map.delete(key)
    },
    get size() {
      return map.size
    },
  }
}
