// A change is judged where it is made: what another node took away is refused by one that has not heard of it.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Cluster, type Node, startCluster, until } from './cluster'

let cluster: Cluster
let [a, b] = [] as unknown as [Node, Node]
let admin: string
let workspace: string

beforeAll(async () => {
  cluster = await startCluster()
  a = await cluster.addNode()
  b = await cluster.addNode()
  admin = (await cluster.signIn(a)).token
  workspace = (await a.call('GET', '/api/me', { token: admin })).body.workspaces[0].id
}, 60_000)
afterAll(() => cluster.stop(), 30_000)

type Who = { token: string; headers?: object }
const write = (node: Node, who: Who) =>
  node.call('POST', '/api/projects', { ...who, body: { name: crypto.randomUUID() } })
const mayRead = async (node: Node, who: Who) => (await node.call('GET', '/api/whoami', who)).status === 200

/** Another admin of the workspace, who has come by an invitation. */
const newAdmin = async () => {
  const person = await cluster.signIn(a)
  const body = { email: person.email, role: 'admin' }
  const { body: offer } = await a.call('POST', '/api/invitations', { token: admin, body })
  await a.call('POST', `/api/invitations/${offer.id}/accept`, { token: person.token, body: {} })
  const { body: me } = await a.call('GET', '/api/me', { token: person.token })
  return { ...person, headers: { 'x-workspace-id': workspace }, path: `/api/members/${me.id}` }
}

const endings: [string, number, () => Promise<{ who: Who; end: () => Promise<{ status: number }> }>][] = [
  [
    'a role',
    403,
    async () => {
      const { path, ...who } = await newAdmin()
      return { who, end: () => a.call('PATCH', path, { token: admin, body: { role: 'viewer' } }) }
    },
  ],
  [
    'a membership',
    404,
    async () => {
      const { path, ...who } = await newAdmin()
      return { who, end: () => a.call('DELETE', path, { token: admin }) }
    },
  ],
  [
    'a session',
    401,
    async () => {
      const { token, session } = await cluster.signIn(a)
      return { who: { token }, end: () => a.call('DELETE', `/api/sessions/${session}`, { token }) }
    },
  ],
  [
    'a key',
    401,
    async () => {
      const { id, token } = await cluster.newKey(a, admin)
      return { who: { token }, end: () => a.call('DELETE', `/api/keys/${id}`, { token: admin }) }
    },
  ],
]

test.each(endings)(
  '%s taken away on one node is refused with %i by the next change on another, which has not heard of it yet',
  async (_what, status, prepare) => {
    let unheard = 0
    for (let round = 0; round < 5; round++) {
      const { who, end } = await prepare()
      await until(() => mayRead(b, who))
      expect((await write(b, who)).status).toBe(201)
      expect((await end()).status).toBeLessThan(300)
      if (await mayRead(b, who)) unheard++
      expect((await write(b, who)).status).toBe(status)
      // It knows now, whatever its copy shows.
      expect(await mayRead(b, who)).toBe(status === 403)
    }
    expect(unheard).toBeGreaterThan(0)
  },
  60_000,
)
