// Notes of when things were used: the latest of each, written in bounded pieces, and none lost to a failing write.
import { expect, test } from 'bun:test'
import { createUseNotes } from '../src/lib/use-notes'
import { newTestClock } from './clock'

test('hands over the latest use of each id once, at most a thousand at a time', async () => {
  const clock = newTestClock(1000)
  const notes = createUseNotes(clock)
  for (let i = 0; i < 2500; i++) notes.note(`id-${i}`)
  clock.advance(1)
  notes.note('id-0')
  const pieces: [string, number][][] = []
  await notes.flush(async (piece) => pieces.push(piece))
  expect(pieces.map((piece) => piece.length)).toEqual([1000, 1000, 500])
  expect(new Map(pieces.flat()).size).toBe(2500)
  expect(new Map(pieces.flat()).get('id-0')).toBe(1001)
  await notes.flush(async (piece) => pieces.push(piece))
  expect(pieces).toHaveLength(3)
})

test('keeps what could not be written, and never puts an older use over a newer one', async () => {
  const clock = newTestClock(1000)
  const notes = createUseNotes(clock)
  for (let i = 0; i < 1500; i++) notes.note(`id-${i}`)
  let writes = 0
  const failing = async () => {
    if (++writes === 2) {
      clock.advance(5)
      notes.note('id-1200')
      throw new Error('no room')
    }
  }
  expect(await notes.flush(failing).catch((error: Error) => error.message)).toBe('no room')
  expect([notes.last('id-1200'), notes.last('id-1300'), notes.last('id-1')]).toEqual([1005, 1000, 0])
  const left: [string, number][] = []
  await notes.flush(async (piece) => left.push(...piece))
  expect(left).toHaveLength(500)
})
