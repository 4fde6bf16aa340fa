// Readiness: what is looked at, how long that may take, and how often anybody can have it looked at.
import { expect, test } from 'bun:test'
import { healthService } from '../src/features/health/service'
import { newTestClock } from './clock'

const newHealth = (run: () => Promise<void>) => {
  const clock = newTestClock()
  const health = healthService({ clock, version: '1', checks: { storage: { required: true, run } }, node: null })
  return { clock, health }
}

test('however many ask within a second, it is one look; after that it is a new one', async () => {
  let looks = 0
  const { clock, health } = newHealth(async () => {
    if (++looks > 1) throw new Error('gone')
  })
  const answers = await Promise.all(Array.from({ length: 100 }, health.ready))
  clock.advance(999)
  answers.push(await health.ready())
  expect([looks, new Set(answers.map(({ status }) => status))]).toEqual([1, new Set(['ok'])])
  clock.advance(1)
  expect(await health.ready()).toEqual({ status: 'unavailable', checks: { storage: 'failing' } })
})

test('a part that does not answer within two seconds is failing', async () => {
  const { clock, health } = newHealth(() => new Promise(() => {}))
  const asked = health.ready()
  clock.advance(2000)
  expect(await asked).toMatchObject({ status: 'unavailable' })
})
