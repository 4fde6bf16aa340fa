// A primary that fails: what a node serves and refuses meanwhile, that it never stands still, and that nothing is lost.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { cpSync } from 'node:fs'
import { createPrimary } from '../../src/adapters/primary'
import { newFolder } from '../template'
import { type Cluster, isProof, type Node, startCluster, until } from './cluster'

// A node that waited for its primary would stand still for seconds; the disk of a busy machine holds it up for less.
const stillMs = isProof ? 50 : 500

let cluster: Cluster
let node: Node
let token: string

beforeEach(async () => {
  cluster = await startCluster()
  node = await cluster.addNode()
  token = (await cluster.signIn(node)).token
}, 60_000)
afterEach(() => cluster.stop(), 30_000)

const statusOf = async (method: string, path: string, init: { token?: string; body?: unknown } = {}) =>
  (await node.call(method, path, init)).status
const table = async () => ({
  actor: await statusOf('GET', '/api/whoami', { token }),
  nobody: await statusOf('GET', '/api/whoami'),
  write: await statusOf('POST', '/api/projects', { token, body: { name: crypto.randomUUID() } }),
  alive: await statusOf('GET', '/v1/health'),
  ready: await statusOf('GET', '/v1/health/ready'),
})
const healthy = { actor: 200, nobody: 401, write: 201, alive: 200, ready: 200 }
const dark = { actor: 503, nobody: 401, write: 503, alive: 200, ready: 503 }
const projects = async (token: string) =>
  (await node.call('GET', '/api/projects?limit=100', { token })).body.data.map(({ name }: { name: string }) => name)

/** Makes projects until `end`; gives the names that were acknowledged. */
const keepWriting = (token: string, end: () => boolean) => {
  const acknowledged: string[] = []
  const done = (async () => {
    for (let i = 0; !end(); i++) {
      const name = `n${i}`
      const made = await statusOf('POST', '/api/projects', { token, body: { name } }).catch(() => 0)
      if (made === 201) acknowledged.push(name)
      await Bun.sleep(20)
    }
    return acknowledged
  })()
  return done
}

test.each([
  ['frozen', () => cluster.sqld.freeze(), () => cluster.sqld.thaw()],
  ['cut off', () => node.link.cut(), () => node.link.mend()],
  ['behind a link that stands still', () => node.link.freeze(), () => node.link.mend()],
  ['killed', () => cluster.sqld.kill(), () => cluster.sqld.restart()],
] as const)(
  'primary %s: served for 5 s, then 503 for all that needs an actor; then as before, with nothing lost',
  async (_how, fail, mend) => {
    let over = false
    // Somebody else: of whom a write of this node does not show in its copy yet, the primary alone can say what they may.
    const { token: writer } = await cluster.signIn(node)
    const written = keepWriting(writer, () => over)
    await Bun.sleep(500)
    expect(await table()).toEqual(healthy)
    await node.stalledMs()
    expect(await statusOf('GET', '/api/whoami', { token })).toBe(200)
    await fail()
    const began = performance.now()
    over = true
    while (performance.now() - began < 3000) {
      expect(await statusOf('GET', '/api/whoami', { token })).toBe(200)
      await Bun.sleep(20)
    }
    await until(async () => performance.now() - began > 5200)
    expect(await table()).toEqual(dark)
    expect(await node.stalledMs()).toBeLessThan(stillMs)
    await mend()
    await until(node.isReady)
    expect(await table()).toEqual(healthy)
    const [acknowledged, kept] = [await written, await projects(writer)]
    expect(acknowledged.length).toBeGreaterThan(3)
    expect(acknowledged.filter((name) => !kept.includes(name))).toEqual([])
  },
  60_000,
)

test('a copy that silently stops advancing: after 5 s each decision asks the primary', async () => {
  const key = await cluster.newKey(node, token)
  expect(await statusOf('GET', '/api/whoami', { token: key.token })).toBe(200)
  node.link.freezeSync()
  await Bun.sleep(5500)
  await node.stalledMs()
  expect(await table()).toEqual({ ...healthy, ready: 503 })
  expect(await statusOf('GET', '/api/whoami', { token: key.token })).toBe(200)
  await node.call('DELETE', `/api/keys/${key.id}`, { token })
  expect(await statusOf('GET', '/api/whoami', { token: key.token })).toBe(401)
  expect(await node.stalledMs()).toBeLessThan(stillMs)
  node.link.mend()
  await until(node.isReady)
  expect(await table()).toEqual(healthy)
}, 60_000)

test('a primary that is empty ends the node, which does not start on it either, and keeps its copy', async () => {
  await cluster.sqld.kill()
  await cluster.sqld.restart(newFolder())
  expect(await Promise.race([node.exited(), Bun.sleep(15_000)])).toBe(1)
  await node.restart()
  expect(node.failed()).toStartWith('The primary is empty')
}, 60_000)

test('a primary restored to an older state ends the node, which does not start on it either', async () => {
  const older = newFolder()
  await cluster.sqld.kill()
  cpSync(cluster.sqld.folder(), older, { recursive: true })
  await cluster.sqld.restart()
  await until(node.isReady)
  for (let i = 0; i < 5; i++) await cluster.newKey(node, token)
  await node.call('POST', '/api/workspaces', { token, body: { name: 'later' } })
  // It notes once a second what it has seen.
  await Bun.sleep(1500)
  await cluster.sqld.kill()
  await cluster.sqld.restart(older)
  expect(await Promise.race([node.exited(), Bun.sleep(15_000)])).toBe(1)
  await node.restart()
  expect(node.failed()).toStartWith('The primary is in an older state than this node has seen.')
}, 60_000)

test('a higher generation ends the node, which copies the database anew when it is started again', async () => {
  const primary = createPrimary({ url: cluster.sqld.url, token: cluster.sqld.token('rw') })
  await primary.batch([{ sql: "update meta set value = '2' where name = 'generation'", args: [] }])
  expect(await Promise.race([node.exited(), Bun.sleep(15_000)])).toBe(1)
  await node.restart()
  expect(node.failed()).toBeUndefined()
  await until(node.isReady)
  expect(await table()).toEqual(healthy)
}, 60_000)

test('while the primary is away a node starts on its copy and decides nothing until it is back', async () => {
  await node.kill()
  node.link.cut()
  await node.restart()
  expect(node.failed()).toBeUndefined()
  expect({ ...(await table()), write: 503 }).toEqual(dark)
  node.link.mend()
  await until(node.isReady)
  expect(await table()).toEqual(healthy)
}, 60_000)

test('a link slow by 300 ms: everything is served, late', async () => {
  node.link.delay(150)
  await Bun.sleep(1500)
  await node.stalledMs()
  expect(await table()).toEqual(healthy)
  const key = await cluster.newKey(node, token)
  expect(await statusOf('GET', '/api/whoami', { token: key.token })).toBe(200)
  await node.call('DELETE', `/api/keys/${key.id}`, { token })
  expect(await statusOf('GET', '/api/whoami', { token: key.token })).toBe(401)
  expect(await node.stalledMs()).toBeLessThan(stillMs)
}, 60_000)

test('the stated stale reads are served that much longer, and no more', async () => {
  const patient = await cluster.addNode({ LATCHKEY_STALE_READS_SECONDS: '4' })
  const status = async () => (await patient.call('GET', '/api/whoami', { token })).status
  await until(async () => (await status()) === 200)
  patient.link.cut()
  const began = performance.now()
  while (performance.now() - began < 7500) {
    expect(await status()).toBe(200)
    await Bun.sleep(20)
  }
  await until(async () => performance.now() - began > 9200)
  expect(await status()).toBe(503)
}, 60_000)

test.each([120_000, -120_000])(
  'a node whose clock is off by %i ms ends what others end',
  async (offset) => {
    const other = await cluster.addNode({ TEST_CLOCK_OFFSET_MS: `${offset}` })
    const key = await cluster.newKey(node, token)
    const status = async () => (await other.call('GET', '/api/whoami', { token: key.token })).status
    await until(async () => (await status()) === 200)
    const { body } = await node.call('DELETE', `/api/keys/${key.id}?fence=all`, { token })
    expect(body.other_nodes.confirmed).toBe(true)
    expect(await status()).toBe(401)
  },
  60_000,
)
