// kill -9 of node and primary at random points, under sign-ins, key changes and uploads: what must hold afterwards.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createPrimary } from '../../src/adapters/primary'
import { type Cluster, type Node, startCluster, until } from './cluster'

// SCALE_KILLS=200 to prove it.
const rounds = Number(process.env.SCALE_KILLS ?? 4)
const cli = join(import.meta.dir, '../../src/cli.ts')

let cluster: Cluster
let nodes: Node[]
beforeAll(async () => {
  cluster = await startCluster()
  nodes = [await cluster.addNode(), await cluster.addNode()]
}, 60_000)
afterAll(() => cluster.stop(), 60_000)

type Kept = { keys: Set<string>; ended: Set<string>; media: Map<string, string> }

/** Uses a node until told to stop, and notes what was acknowledged. */
const use = async (node: Node, admin: string, kept: Kept, isOver: () => boolean) => {
  const headers = { 'content-type': 'text/plain', 'x-file-name': 'a.txt' }
  for (let i = 0; !isOver(); i++) {
    await Bun.sleep(5)
    const made = await node.call('POST', '/api/keys', { token: admin, body: { name: 'k' } }).catch(() => null)
    if (made?.status === 201) kept.keys.add(made.body.token)
    if (made?.status === 201 && i % 2 === 0) {
      const ended = await node.call('DELETE', `/api/keys/${made.body.id}`, { token: admin }).catch(() => null)
      // Whether an unanswered one took place is open; what was answered is not.
      kept.keys.delete(made.body.token)
      if (ended?.status === 200) kept.ended.add(made.body.token)
    }
    const raw = `${crypto.randomUUID()} `.repeat(2000)
    const sent = await node.send('POST', '/api/media', admin, raw, headers).catch(() => null)
    if (sent?.status === 201) kept.media.set(sent.body.id, raw)
  }
}

/** Asks for a code, so that only its redemption is left. */
const newProof = async () => {
  const email = `${crypto.randomUUID()}@example.com`
  const { body } = await nodes[0]!.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
  return { challenge_id: body.challenge_id, binding: body.binding, code: await cluster.codeFor(email) }
}

/** Four redeem one code on both nodes; gives how many were told that they have a session. */
const redeem = async (proof: Awaited<ReturnType<typeof newProof>>): Promise<number> => {
  await Bun.sleep(Math.random() * 1200)
  const one = (i: number) => nodes[i % 2]!.call('POST', '/api/auth/verify', { body: proof }).catch(() => null)
  return (await Promise.all([0, 1, 2, 3].map(one))).filter((answer) => answer?.status === 200).length
}

/** A killed node's jobs would wait a minute for its leases to end. */
const endLeases = () =>
  createPrimary({ url: cluster.sqld.url, token: cluster.sqld.token('rw') }).batch([
    { sql: 'delete from leases', args: [] },
  ])

const settled = async () => {
  for (const node of nodes) await until(() => node.isReady().catch(() => false), 30_000)
}
const statusOf = async (node: Node, token: string) => (await node.call('GET', '/api/whoami', { token })).status

/** Everything that was acknowledged is there, at the other node in a moment, and nothing that was ended is taken. */
const holds = async (admin: string, kept: Kept) => {
  for (const node of nodes) {
    for (const token of kept.keys) await until(async () => (await statusOf(node, token)) === 200)
    for (const token of kept.ended) await until(async () => (await statusOf(node, token)) === 401)
    for (const [id, raw] of kept.media)
      await until(async () => (await node.send('GET', `/media/${id}`, admin)).text === raw)
  }
}

/** Every object that is listed is whole: its bytes are those of its digest. */
const mediaIsWhole = async (admin: string) => {
  const { body } = await nodes[0]!.call('GET', '/api/media?limit=100', { token: admin })
  for (const { id, sha256 } of body.data) {
    const { text } = await nodes[1]!.send('GET', `/media/${id}`, admin)
    expect(new Bun.CryptoHasher('sha256').update(text).digest('hex')).toBe(sha256)
  }
}

const sessionsAreSingle = async () => {
  const primary = createPrimary({ url: cluster.sqld.url, token: cluster.sqld.token('rw') })
  const sql = 'select user_id from sessions group by user_id having count(*) > 1'
  expect(await primary.read(sql, [])).toEqual([])
}

const auditHolds = async () => {
  const child = Bun.spawn([process.execPath, cli, 'audit', 'verify'], {
    env: { ...process.env, ...cluster.env, LATCHKEY_PRIMARY_URL: cluster.sqld.url, LATCHKEY_REPLICA_TOKEN: '' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text())
  expect([await child.exited, said]).toEqual([0, expect.stringMatching(/^The audit holds: \d+ audit chains/)])
}

test(`${rounds} kills: one session for each code, the audit whole, nothing acknowledged lost, no object in part`, async () => {
  const { token: admin } = await cluster.signIn(nodes[0]!)
  for (const node of nodes) await until(async () => (await statusOf(node, admin)) === 200)
  for (let round = 0; round < rounds; round++) {
    const kept: Kept = { keys: new Set(), ended: new Set(), media: new Map() }
    let over = false
    const proofs = await Promise.all([0, 1, 2].map(newProof))
    const redeemed = Promise.all(proofs.map(redeem))
    const users = nodes.flatMap((node) => [0, 1].map(() => use(node, admin, kept, () => over)))
    await Bun.sleep(200 + Math.random() * 800)
    const victim = [nodes[0]!, cluster.sqld, nodes[1]!][round % 3]!
    await victim.kill()
    over = round % 2 === 0
    await Bun.sleep(Math.random() * 200)
    await victim.restart()
    await settled()
    over = true
    await Promise.all(users)
    expect((await redeemed).filter((sessions) => sessions > 1)).toEqual([])
    await endLeases()
    expect(kept.keys.size + kept.media.size).toBeGreaterThan(0)
    await holds(admin, kept)
  }
  await mediaIsWhole(admin)
  await sessionsAreSingle()
  await auditHolds()
}, 3_600_000)
