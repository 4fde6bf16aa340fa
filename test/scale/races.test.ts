// Two nodes at once: one code opens one session, and one idempotency key makes one thing.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Cluster, type Node, startCluster, until } from './cluster'

let cluster: Cluster
let nodes: Node[]

beforeAll(async () => {
  cluster = await startCluster()
  nodes = [await cluster.addNode(), await cluster.addNode()]
}, 60_000)
afterAll(() => cluster.stop(), 30_000)

const nodeOf = (i: number) => nodes[i % 2]!

test('64 consumers of one code on two nodes: one session', async () => {
  const email = 'ada@example.com'
  const { body } = await nodeOf(0).call('POST', '/api/auth/start', { body: { email, transport: 'token' } })
  const proof = { challenge_id: body.challenge_id, binding: body.binding, code: await cluster.codeFor(email) }
  const sent = Array.from({ length: 64 }, (_, i) => nodeOf(i).call('POST', '/api/auth/verify', { body: proof }))
  const answers = await Promise.all(sent)
  const opened = answers.filter(({ status }) => status === 200)
  expect(opened).toHaveLength(1)
  const { token } = opened[0]!.body
  const sessionsAt = async (node: Node) => (await node.call('GET', '/api/sessions', { token })).body.data ?? []
  // A list is what a node's copy shows: it comes a moment after the session holds.
  for (const node of nodes) await until(async () => (await sessionsAt(node)).length > 0)
  expect(await sessionsAt(nodeOf(0))).toHaveLength(1)
}, 60_000)

test('the same idempotency key on two nodes at once makes one thing, and both answer it', async () => {
  const people = [await cluster.signIn(nodeOf(0)), await cluster.signIn(nodeOf(1))]
  for (const { token } of people)
    for (const node of nodes) await until(async () => (await node.call('GET', '/api/whoami', { token })).status === 200)
  for (let round = 0; round < 10; round++) {
    const headers = { 'idempotency-key': `key-${round}` }
    const make = (i: number, token: string) =>
      nodeOf(i).call('POST', '/api/projects', { token, headers, body: { name: `p${round}` } })
    const made = await Promise.all(people.map(({ token }) => Promise.all([0, 1, 2, 3].map((i) => make(i, token)))))
    const ids = made.map((answers) => new Set(answers.map(({ status, body }) => `${status} ${body.id}`)))
    // Another tenant's use of the same key is its own.
    expect([made.flat().filter(({ status }) => status !== 201), ids.map((own) => own.size)]).toEqual([[], [1, 1]])
    expect([...ids[0]!]).not.toEqual([...ids[1]!])
    expect([...ids[0]!][0]).toStartWith('201 prj_')
  }
  const { body } = await nodeOf(0).call('GET', '/api/projects?limit=100', { token: people[0]!.token })
  expect(body.data).toHaveLength(11)
}, 60_000)
