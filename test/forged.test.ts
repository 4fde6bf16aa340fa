// Identity comes from the credential alone: who, where or as what a request says it is made changes nothing.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createSend, listOf, type Reply, type Send } from '../src/doctor/http'
import { makeWorld } from '../src/doctor/principals'
import { type Request, samples } from '../src/doctor/samples'
import { type Asked, askedRoutes } from './asked'
import { origin, type TestApp, testApp } from './support'

let t: TestApp
let send: Send
let routes: Asked[]

beforeAll(async () => {
  t = await testApp({ env: { LATCHKEY_OPERATORS: 'operator@example.com' } })
  send = createSend(async (method, target, headers, raw) =>
    t.fetch(method, target, { headers, ...(raw !== undefined && { raw }) }),
  )
  routes = askedRoutes((await send('GET', '/api/openapi.json')).body)
})
afterAll(() => t.stop())

/** The request with a name and a value that it does not ask for, in each place that could be listened to. */
const forge = (request: Request, { method, fields, query }: Asked, name: string, value: string): Request[] => {
  const [dashed, sign] = [name.replace('_', '-'), request.target.includes('?') ? '&' : '?']
  // That one is asked for: it picks a workspace, and grants nothing.
  const inHeaders = [name, dashed, `x-${dashed}`].filter((header) => header !== 'x-workspace-id')
  const takesBody = method !== 'GET' && request.raw === undefined && !fields.includes(name)
  return [
    ...(query.includes(name) ? [] : [{ ...request, target: `${request.target}${sign}${name}=${value}` }]),
    ...inHeaders.map((header) => ({ ...request, headers: { ...request.headers, [header]: value } })),
    ...(takesBody ? [{ ...request, body: { ...(request.body as object | undefined), [name]: value } }] : []),
  ]
}

const told = (method: string, { status, text }: Reply) =>
  method === 'GET' || status >= 400 ? [status, text.replace(/"request_id":"\w+"/, '')] : [status]

test.each(['viewer', 'other workspace', 'key of another workspace'])(
  'a workspace, a user or a role that %s names in query, header or body is a 400, or changes nothing',
  async (who) => {
    const w = await makeWorld({
      ...{ send, origin, codeFor: t.codeFor, now: t.clock.now, made: new Map() },
      addressOf: (name) => `${who}-${name}@example.com`.replace(/ /g, '-'),
      wait: async (ms) => t.clock.advance(ms),
    })
    const state = async () => [
      (await w.sendAs(who, 'GET', '/api/whoami', {})).text,
      listOf(await w.call('GET', '/api/members')).map(({ user_id, role }) => [user_id, role]),
    ]
    const before = await state()
    const claims = Object.entries({ workspace_id: w.workspace, user_id: w.people.admin.id, role: 'admin' })
    let asked = 0
    for (const route of routes) {
      const { make, after } = samples[route.name]!
      let request = await make(w, w.projects.default)
      // What a request did by right, it has done: the next one is about a new thing.
      const ask = async (sent: Request) => {
        const reply = await w.sendAs(who, route.method, sent.target, sent)
        if (reply.status < 400 && route.method !== 'GET') {
          await after?.(w)
          request = await make(w, w.projects.default)
        }
        return reply
      }
      for (const [name, value] of claims)
        for (const i of forge(request, route, name, value).keys()) {
          const plain = told(route.method, await ask(request))
          const reply = await ask(forge(request, route, name, value)[i]!)
          asked++
          const answer = reply.body.code === 'unknown_field' ? plain : told(route.method, reply)
          expect([route.name, name, i, ...answer]).toEqual([route.name, name, i, ...plain])
        }
    }
    expect(await state()).toEqual(before)
    expect(asked).toBeGreaterThan(routes.length * 10)
  },
  120_000,
)
