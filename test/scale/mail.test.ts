// A thousand mails through the pool over kills of the process: none lost, and repeats only as the same mail.
import { expect, test } from 'bun:test'
import { sendThroughCrashes } from '../mail-crash'

test('a thousand mails, killed five times: each arrives, a repeat has the same Message-ID', async () => {
  const began = performance.now()
  const { idsOf, arrived, waiting } = await sendThroughCrashes(1000, [50, 230, 490, 700, 950])
  console.log(`${arrived} arrived of 1,000, ${arrived - 1000} twice, in ${Math.round(performance.now() - began)} ms`)
  expect([idsOf.size, waiting]).toEqual([1000, 0])
  for (const [to, ids] of idsOf) expect([to, new Set(ids).size]).toEqual([to, 1])
  expect(new Set([...idsOf.values()].flat()).size).toBe(1000)
}, 120_000)
