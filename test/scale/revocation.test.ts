// Revocation between nodes: how long another one still takes what was ended, and that none does after a fenced receipt.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Cluster, type Node, startCluster, until } from './cluster'

const count = Number(process.env.SCALE_REVOCATIONS ?? 40)
let cluster: Cluster
let [a, b] = [] as unknown as [Node, Node]

beforeAll(async () => {
  cluster = await startCluster()
  a = await cluster.addNode()
  b = await cluster.addNode()
}, 60_000)
afterAll(() => cluster.stop(), 30_000)

const takes = async (node: Node, token: string) => (await node.call('GET', '/api/whoami', { token })).status === 200

test('what one node makes is known on the other, and what it ends is refused there within a second', async () => {
  const { token } = await cluster.signIn(a)
  await until(() => takes(b, token))
  const lags: number[] = []
  for (let i = 0; i < count; i++) {
    const key = await cluster.newKey(a, token)
    await until(() => takes(b, key.token))
    await a.call('DELETE', `/api/keys/${key.id}`, { token })
    const began = performance.now()
    expect(await takes(a, key.token)).toBe(false)
    while (await takes(b, key.token)) {}
    lags.push(performance.now() - began)
  }
  lags.sort((x, y) => x - y)
  const at = (share: number) => Math.round(lags[Math.min(lags.length - 1, Math.floor(lags.length * share))]!)
  console.log(`lag of ${count}: p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`)
  expect(at(0.99)).toBeLessThan(1000)
}, 600_000)
