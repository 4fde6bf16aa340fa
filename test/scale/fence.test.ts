// A fenced receipt: once it says confirmed no node takes what was ended, however that node is.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { type Cluster, type Node, startCluster, until } from './cluster'

let cluster: Cluster
let [a, b] = [] as unknown as [Node, Node]
let token: string

beforeAll(async () => {
  cluster = await startCluster()
  a = await cluster.addNode()
  b = await cluster.addNode()
  token = (await cluster.signIn(a)).token
}, 60_000)
afterAll(() => cluster.stop(), 30_000)

const statusAt = async (node: Node, as: string): Promise<number> =>
  (await node.call('GET', '/api/whoami', { token: as }).catch(() => ({ status: 0 }))).status

/** Ends a key at `a` while `b` is as `during` makes it; gives the receipt, how long it took, and what b said since. */
const endWhile = async (during: () => unknown, after: () => unknown) => {
  const key = await cluster.newKey(a, token)
  await until(async () => (await statusAt(b, key.token)) === 200)
  await during()
  const began = performance.now()
  const { body } = await a.call('DELETE', `/api/keys/${key.id}?fence=all`, { token })
  const tookMs = performance.now() - began
  const asked = Array.from({ length: 20 }, () => statusAt(b, key.token))
  await after()
  const said = new Set(await Promise.all(asked))
  for (let i = 0; i < 20; i++) said.add(await statusAt(b, key.token))
  return { receipt: body.other_nodes, tookMs, said, key }
}

test('a healthy node confirms within two seconds', async () => {
  const { receipt, tookMs, said } = await endWhile(
    () => {},
    () => {},
  )
  expect(receipt).toEqual({ bound_ms: 5000, confirmed: true })
  expect(tookMs).toBeLessThan(2500)
  expect([...said]).toEqual([401])
}, 30_000)

test('so it does a session that ended, and all of a person at once', async () => {
  const [person, other] = [await cluster.signIn(a), await cluster.signIn(a)]
  for (const { token: as } of [person, other]) await until(async () => (await statusAt(b, as)) === 200)
  const one = await a.call('DELETE', `/api/sessions/${person.session}?fence=all`, { token: person.token })
  expect([one.body.other_nodes, await statusAt(b, person.token)]).toEqual([{ bound_ms: 5000, confirmed: true }, 401])
  const body = { which: 'all' }
  const all = await a.call('POST', '/api/sessions/revoke?fence=all', { token: other.token, body })
  expect([all.body.other_nodes, await statusAt(b, other.token)]).toEqual([{ bound_ms: 5000, confirmed: true }, 401])
}, 30_000)

test('without a fence the receipt says what it knows and does not wait', async () => {
  const key = await cluster.newKey(a, token)
  b.link.freeze()
  const began = performance.now()
  const { body } = await a.call('DELETE', `/api/keys/${key.id}`, { token })
  expect(performance.now() - began).toBeLessThan(1000)
  expect(body.other_nodes).toEqual({ bound_ms: 5000, confirmed: false })
  b.link.mend()
  await until(b.isReady)
}, 30_000)

test.each([
  ['partitioned', () => b.link.cut(), () => b.link.mend()],
  ['behind a link that stands still', () => b.link.freeze(), () => b.link.mend()],
  ['whose copy stands still', () => b.link.freezeSync(), () => b.link.mend()],
  ['frozen', () => b.freeze(), () => b.thaw()],
  ['killed and just restarting', () => b.kill(), () => b.restart()],
] as const)(
  'a node %s takes nothing after the receipt',
  async (_how, during, after) => {
    const { receipt, tookMs, said } = await endWhile(during, after)
    expect(receipt).toEqual({ bound_ms: 5000, confirmed: true })
    expect(tookMs).toBeLessThan(8000)
    expect(said.has(200)).toBe(false)
    await until(b.isReady)
    await until(async () => (await statusAt(b, token)) === 200)
  },
  60_000,
)

/** Begins to stream an object from `b` with a key and takes no more than a little; gives what comes once it goes on. */
const beginStream = async (id: string, key: string) => {
  const { hostname, port } = new URL(b.base())
  const socket = connect(Number(port), hostname)
  socket.write(
    `GET /media/${id} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
  )
  let bytes = 0
  await new Promise<void>((resolve) => {
    socket.once('data', (piece) => {
      bytes += piece.length
      socket.pause()
      resolve()
    })
  })
  return async () => {
    socket.on('data', (piece) => {
      bytes += piece.length
    })
    socket.on('error', () => {})
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    return bytes
  }
}

test.each([
  ['that is healthy', () => {}, 1500],
  ['that is partitioned', () => b.link.cut(), 8500],
] as const)(
  'a stream under way on a node %s breaks off when its key is ended elsewhere',
  async (_how, during, withinMs) => {
    const size = 64 * 1024 * 1024
    const headers = { 'content-type': 'text/plain', 'x-file-name': 'a.txt' }
    const { body } = await a.send('POST', '/api/media', token, 'a'.repeat(size), headers)
    const [key, other] = [await cluster.newKey(a, token), await cluster.newKey(a, token)]
    for (const { token: as } of [key, other]) await until(async () => (await statusAt(b, as)) === 200)
    const rest = await beginStream(body.id, key.token)
    const whole = await beginStream(body.id, other.token)
    if (withinMs < 5000) expect(await whole()).toBeGreaterThan(size)
    during()
    await a.call('DELETE', `/api/keys/${key.id}`, { token })
    await Bun.sleep(withinMs)
    expect(await rest()).toBeLessThan(size)
    b.link.mend()
    await until(b.isReady)
  },
  60_000,
)
