// A process that is killed while it sends mail loses none, and repeats one only as the same mail.
import { expect, test } from 'bun:test'
import { sendThroughCrashes } from './mail-crash'

test('sixty mails through the pool, killed three times: each arrives, a repeat has the same Message-ID', async () => {
  const { idsOf, arrived, waiting } = await sendThroughCrashes(60, [7, 25, 45])
  expect([idsOf.size, waiting]).toEqual([60, 0])
  for (const [to, ids] of idsOf) expect([to, new Set(ids).size]).toEqual([to, 1])
  expect(new Set([...idsOf.values()].flat()).size).toBe(60)
  // At most what was under way each time.
  expect(arrived).toBeLessThanOrEqual(60 + 3 * 20)
}, 30_000)
