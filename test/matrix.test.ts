// The denial matrix, generated from the routes: nobody gets where they may not, and each denial has a twin that passes.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createSend } from '../src/doctor/http'
import { type Cell, routesOf, runMatrix } from '../src/doctor/matrix'
import { makeWorld, removeWorld, type World } from '../src/doctor/principals'
import { samples } from '../src/doctor/samples'
import { origin, type TestApp, testApp } from './support'

let t: TestApp
let w: World
let cells: Cell[]
const declared = () =>
  t.app.routes
    .filter(({ hooks }) => !(hooks as { detail: Record<string, string> }).detail['x-access']?.startsWith('open: '))
    .map(({ method, path }) => `${method} ${path.replace(/\/$/, '')}`)

beforeAll(async () => {
  t = await testApp({ env: { LATCHKEY_OPERATORS: 'operator@example.com' } })
  const send = createSend(async (method, target, headers, raw) =>
    t.fetch(method, target, { headers, ...(raw !== undefined && { raw }) }),
  )
  const { headers: expiredSession } = await t.signIn('doctor-admin@example.com')
  t.clock.advance(31 * 86_400_000)
  w = await makeWorld({
    expiredSession,
    send,
    origin,
    addressOf: (name) => `doctor-${name}@example.com`,
    codeFor: t.codeFor,
    wait: async (ms) => t.clock.advance(ms),
    now: t.clock.now,
    operator: 'operator@example.com',
    made: new Map(),
  })
  cells = await runMatrix(w, routesOf((await send('GET', '/api/openapi.json')).body))
}, 120_000)
afterAll(() => t.stop())

test('every route that declares a permission is in it, and every sample is of a route', () => {
  expect(Object.keys(samples).sort()).toEqual(declared().sort())
  expect(new Set(cells.map((c) => c.route))).toEqual(new Set(declared()))
})

test('every cell holds: 401 for nobody, revoked and expired; 403 for who lacks the right; 404 for who may not know, in the words of nothing at all', () => {
  const wrong = cells.filter((c) => !c.holds)
  expect(wrong.map((c) => `${c.route} in ${c.place} as ${c.who}: ${c.status}, not ${c.expected}`)).toEqual([])
  const count = (expected: Cell['expected']) => cells.filter((c) => c.expected === expected).length
  expect(Math.min(count(401), count(403), count(404), count('passes'))).toBeGreaterThan(100)
})

test('every denial has a twin: somebody passes with the very request that others were denied', () => {
  for (const [route, of] of Map.groupBy(cells, (c) => `${c.route} in ${c.place}`)) {
    if (samples[of[0]!.route]?.twin !== undefined) continue
    expect([route, of.some((c) => c.expected === 'passes')]).toEqual([route, true])
    expect([route, of.some((c) => c.expected !== 'passes')]).toEqual([route, true])
  }
})

test('the matrix can fail: a principal with more than it should have, and a route without a sample, are told', async () => {
  const swapped = {
    ...w,
    sendAs: (who: string, ...rest: unknown[]) =>
      w.sendAs(who === 'viewer' ? 'admin' : who, ...(rest as [string, string, object])),
  }
  const [route] = [{ method: 'PATCH', path: '/api/workspaces/:id', access: 'workspace:update' }]
  const found = (await runMatrix(swapped, [route!])).filter((c) => !c.holds)
  expect(found).toEqual([expect.objectContaining({ who: 'viewer', expected: 403, status: 200 })])
  const chatty: World = {
    ...w,
    sendAs: async (...sent) => {
      const reply = await w.sendAs(...sent)
      return { ...reply, text: reply.text.replace('{"', '{"detail":"of another","') }
    },
  }
  const told = await runMatrix(chatty, [{ method: 'GET', path: '/api/keys/:id', access: 'key:read' }])
  for (const { expected, holds } of told) expect(holds).toBe(expected === 'passes' || expected === 403)
  await expect(runMatrix(w, [{ method: 'GET', path: '/api/new', access: 'key:read' }])).rejects.toThrow('GET /api/new')
})

test('everybody it made goes again, by their own account', async () => {
  expect(await removeWorld(w.tools)).toEqual([204, 204, 204, 204, 204, 204, 204])
  for (const person of Object.values(w.people))
    expect((await w.send('GET', '/api/me', { headers: person.headers })).status).toBe(401)
  expect((await w.sendAs('admin key', 'GET', '/api/whoami', {})).status).toBe(401)
})
