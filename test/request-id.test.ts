// Ids of requests: each its own, and none says anything of another.
import { expect, test } from 'bun:test'
import { createRequestIds } from '../src/http/request-id'
import { testApp } from './support'

test('a million ids are a million, all of one shape', () => {
  const newId = createRequestIds()
  const ids = Array.from({ length: 1_000_000 }, newId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^req_[0-9a-f]{24}$/.test(id))).toBe(true)
})

test('two ids of one process have no more in common than chance would have it, so traffic cannot be read off them', async () => {
  const t = await testApp()
  const ids: string[] = []
  for (let i = 0; i < 200; i++) ids.push((await t.call('GET', '/v1/health')).headers.get('x-request-id') ?? '')
  await t.stop()
  // 48 bits from either end: the same twice in 200 is one in ten billion.
  for (const part of [(id: string) => id.slice(4, 16), (id: string) => id.slice(-12)])
    expect(new Set(ids.map(part)).size).toBe(ids.length)
  const steps = ids.slice(1).map((id, i) => BigInt(`0x${id.slice(4)}`) - BigInt(`0x${ids[i]!.slice(4)}`))
  expect(new Set(steps).size).toBe(steps.length)
})
