// The cache under every warm request: bounded, it keeps what is in use, and forgets at once what it is told to.
import { expect, test } from 'bun:test'
import { createLru } from '../src/lib/lru'

const filled = (max: number, count: number) => {
  const lru = createLru<number, string>(max)
  for (let i = 0; i < count; i++) lru.set(i, `${i}`)
  return lru
}
/** Which of 0 … count - 1 are there, asked from the newest, since asking keeps what is there. */
const kept = (lru: ReturnType<typeof filled>, count: number) =>
  Array.from({ length: count }, (_, i) => count - 1 - i).filter((i) => lru.get(i) !== undefined)

test('it never holds more than it may, and keeps the last half of that for certain', () => {
  const held = kept(filled(100, 10_000), 10_000)
  expect(held.length).toBeLessThanOrEqual(100)
  for (let i = 9_950; i < 10_000; i++) expect(held).toContain(i)
})

test('what is asked for again and again outlives any number of others', () => {
  const lru = createLru<number, string>(100)
  lru.set(-1, 'in use')
  for (let i = 0; i < 10_000; i++) {
    lru.set(i, '')
    if (i % 20 === 0) expect(lru.get(-1)).toBe('in use')
  }
})

test('the newest value counts, and what is deleted is gone from both generations', () => {
  const lru = filled(10, 7)
  lru.set(0, 'newer')
  expect(lru.get(0)).toBe('newer')
  for (let i = 0; i < 7; i++) lru.delete(i)
  expect(kept(lru, 7)).toEqual([])
})
