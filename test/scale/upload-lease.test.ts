// One upload and several nodes: one of them writes at a time, and any goes on where another, or a killed one, left off.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createPrimary } from '../../src/adapters/primary'
import { randomBase62 } from '../../src/lib/id'
import { hasS3, testS3 } from '../s3'
import { bearer } from '../story'
import { bytesOf, chunkType, speaks } from '../tus'
import { type Cluster, type Node, startCluster, until } from './cluster'

// SCALE_KILLS=200 to prove it.
const kills = Number(process.env.SCALE_KILLS ?? 2)
const leaseMs = 8000

const sealedInBucket = async (): Promise<Record<string, string>> => {
  const { address, bucket, keys } = await testS3()
  return {
    LATCHKEY_MEDIA_ENCRYPTION: 'on',
    LATCHKEY_BLOBS: `s3://${bucket}/${randomBase62(12)}?endpoint=http://${address}`,
    ...{ LATCHKEY_S3_ACCESS_KEY: keys.access, LATCHKEY_S3_SECRET_KEY: keys.secret },
  }
}
const places = [
  { place: 'a folder', settings: async () => ({}) },
  ...(hasS3() ? [{ place: 'a bucket of sealed files', settings: sealedInBucket }] : []),
]

describe.each(places)('nodes that share $place', ({ settings }) => {
  let cluster: Cluster
  let nodes: [Node, Node]
  let ahead: Node
  let token: string
  beforeAll(async () => {
    cluster = await startCluster(await settings())
    nodes = [await cluster.addNode(), await cluster.addNode()]
    ahead = await cluster.addNode({ TEST_CLOCK_OFFSET_MS: `${2 * leaseMs}` })
    token = (await cluster.signIn(nodes[0])).token
    for (const node of cluster.nodes)
      await until(async () => (await node.call('GET', '/api/whoami', { token })).status === 200)
  }, 60_000)
  afterAll(() => cluster.stop(), 30_000)

  const ask = async (node: Node, method: string, at: string, headers: object = {}, body?: BodyInit) => {
    const all = { ...bearer(token), ...speaks, ...headers }
    const signal = AbortSignal.timeout(20_000)
    const init = { method, headers: all, signal, duplex: 'half', ...(body !== undefined && { body }) }
    const answer = await fetch(node.base() + at, init as RequestInit)
    return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  const begin = async (node: Node, length: number): Promise<string> =>
    (await ask(node, 'POST', '/api/uploads', { 'upload-length': `${length}` })).headers.get('location') ?? ''
  const patch = (node: Node, at: string, offset: number, body: BodyInit) =>
    ask(node, 'PATCH', at, { ...chunkType, 'upload-offset': `${offset}` }, body)
  const offsetAt = async (node: Node, at: string): Promise<number> =>
    Number((await ask(node, 'HEAD', at)).headers.get('upload-offset') ?? Number.NaN)
  const fileOf = ({ headers }: { headers: Headers }) => (headers.get('content-location') ?? '').split('/').pop()

  /** The file that an answer names has these bytes, at each node. */
  const isWhole = async (answer: { headers: Headers }, bytes: Buffer) => {
    for (const node of nodes) {
      const path = `/media/${fileOf(answer)}`
      await until(async () => (await ask(node, 'HEAD', path)).status === 200)
      expect((await ask(node, 'GET', path)).bytes.equals(bytes)).toBeTrue()
    }
  }
  /** A body in the test's hands. What is `given` may be on its way still. */
  const held = (bytes: Buffer<ArrayBuffer>) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    let given = 0
    const give = async (end: number) => {
      for (; given < end; given = Math.min(end, given + 65_536))
        await writer.write(bytes.subarray(given, Math.min(end, given + 65_536)))
    }
    return { readable, give, given: () => given, end: () => writer.close() }
  }

  test('take one after the other what belongs to it, each from where the other stood', async () => {
    const [size, bytes] = [70_001, bytesOf(16 * 70_001)]
    const at = await begin(nodes[0], bytes.length)
    for (let i = 0; i < 16; i++) {
      const [node, other] = i % 2 === 0 ? [nodes[1], nodes[0]] : nodes
      expect(await offsetAt(node, at)).toBe(i * size)
      expect((await patch(node, at, i * size, bytes.subarray(i * size, (i + 1) * size))).status).toBe(204)
      expect(await offsetAt(other, at)).toBe((i + 1) * size)
    }
    await isWhole(await ask(nodes[1], 'HEAD', at), bytes)
  }, 60_000)

  test('are sent other bytes for one offset at once, 48 times: one takes them, the other is 409 or 423', async () => {
    for (const size of [1, 5000, 70_001, 300_000]) {
      const rivals = [bytesOf(12 * size), bytesOf(12 * size)]
      const [at, taken] = [await begin(nodes[0], 12 * size), [] as Buffer[]]
      for (let offset = 0; offset < 12 * size; offset += size) {
        const sent = rivals.map((bytes) => bytes.subarray(offset, offset + size))
        const answers = await Promise.all(nodes.map((node, i) => patch(node, at, offset, sent[i]!)))
        const won = answers.findIndex(({ status }) => status === 204)
        const [refused] = answers.filter(({ status }) => status === 409 || status === 423)
        expect([won >= 0, refused !== undefined]).toEqual([true, true])
        if (refused?.status === 409) expect(refused.headers.get('upload-offset')).toBe(`${offset + size}`)
        taken.push(sent[won]!)
      }
      await isWhole(await ask(nodes[1], 'HEAD', at), Buffer.concat(taken))
    }
  }, 60_000)

  test('are locked out by the one that is writing, whatever their clocks say, and see what it has made durable', async () => {
    const bytes = bytesOf(100_000)
    const [at, body] = [await begin(nodes[0], bytes.length), held(bytes)]
    const answer = patch(nodes[0], at, 0, body.readable)
    await body.give(60_000)
    await until(async () => (await offsetAt(nodes[0], at)) === 60_000)
    for (const other of [nodes[1], ahead]) {
      expect(await offsetAt(other, at)).toBe(60_000)
      const refused = [await patch(other, at, 60_000, bytes.subarray(60_000)), await ask(other, 'DELETE', at)]
      expect(refused.map(({ status }) => status)).toEqual([423, 423])
    }
    await body.give(bytes.length)
    await body.end()
    expect((await answer).status).toBe(204)
    await isWhole(await answer, bytes)
  }, 60_000)

  const idOf = (at: string) => at.split('/').pop() ?? ''
  const primary = () => createPrimary({ url: cluster.sqld.url, token: cluster.sqld.token('rw') })
  const leaseUntil = async (at: string): Promise<number> => {
    const [[found] = []] = await primary().read('select lease_until from uploads where id = ?', [idOf(at)])
    return Number(found)
  }
  /** As if a whole lease had passed since, which is not waited for. */
  const passLease = (at: string) =>
    primary().batch([
      { sql: 'update uploads set lease_until = lease_until - ? where id = ?', args: [leaseMs, idOf(at)] },
    ])

  /** Kills a node while it is sent an upload; gives what it was given, and what it had said to be durable. */
  const killWriting = async (victim: Node, at: string, bytes: Buffer<ArrayBuffer>, isAsked: boolean) => {
    const body = held(bytes)
    const answer = patch(victim, at, 0, body.readable).catch(() => null)
    await body.give(Math.floor(bytes.length * (0.1 + Math.random() * 0.4)))
    await until(async () => (await leaseUntil(at)) > 0)
    if (isAsked) await until(async () => (await offsetAt(victim, at)) > 0)
    const acknowledged = isAsked ? await offsetAt(victim, at) : 0
    // As far as its kill lets it: the body has no end.
    const more = body.give(Math.floor(bytes.length * 0.8)).catch(() => {})
    await Promise.race([more, Bun.sleep(Math.random() * 20)])
    await victim.kill()
    expect(await answer).toBeNull()
    return { acknowledged, given: body.given() + 65_536 }
  }

  test(`go on for a node that was killed, ${kills} times: once its lease is over, and nothing acknowledged is lost`, async () => {
    const bytes = bytesOf(20 << 20)
    for (let round = 0; round < kills; round++) {
      const [victim, other] = round % 2 === 0 ? nodes : [nodes[1], nodes[0]]
      const at = await begin(victim, bytes.length)
      const { acknowledged, given } = await killWriting(victim, at, bytes, round % 2 === 0)
      const [durable, ends] = [await offsetAt(other, at), await leaseUntil(at)]
      expect([durable >= acknowledged, durable <= given]).toEqual([true, true])
      expect(ends).toBeGreaterThan(0)
      const early = await patch(other, at, durable, '')
      // On a machine so slow that the lease is over by now, it was taken.
      if (Date.now() < ends) expect(early.status).toBe(423)

      const middle = Math.floor((durable + bytes.length) / 2)
      await passLease(at)
      expect((await patch(other, at, durable, bytes.subarray(durable, middle))).status).toBe(204)
      expect(await offsetAt(ahead, at)).toBe(middle)
      await victim.restart()
      await until(victim.isReady)
      const last = await patch(victim, at, middle, bytes.subarray(middle))
      expect(last.status).toBe(204)
      await isWhole(last, bytes)
    }
  }, 3_600_000)
})
