// Answers: at once where nothing has to be waited for, as their schema lists them, under every header that each has.
import { afterAll, beforeAll, expect, spyOn, test } from 'bun:test'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { assertEveryRouteDeclaresAccess, createAccess } from '../src/http/access'
import { Exchange, rememberExchange } from '../src/http/exchange'
import { createErrorHandler } from '../src/http/problem'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.stop())

test('who is known is answered without a promise, by session and by key; who is not is waited for', async () => {
  const admin = await t.as('admin')
  const { body: key } = await admin.post('/api/keys', { name: 'reader' })
  for (const headers of [admin.headers, { authorization: `Bearer ${key.token}` }]) {
    const first = t.fetch('GET', '/api/whoami', { headers })
    expect((await first).status).toBe(200)
    const again = t.fetch('GET', '/api/whoami', { headers })
    expect(again).not.toBeInstanceOf(Promise)
    expect(await (await again).json()).toMatchObject({ workspace: { id: admin.workspace.id } })
  }
  const { body: other } = await admin.post('/api/keys', { name: 'another' })
  const cold = t.fetch('GET', '/api/whoami', { headers: { authorization: `Bearer ${other.token}` } })
  expect(cold).toBeInstanceOf(Promise)
  expect((await cold).status).toBe(200)
})

test('each kind of answer says what every answer says, and is named by its own id', async () => {
  const { headers } = await t.as('viewer')
  const answers = [
    await t.fetch('GET', '/api/whoami', { headers }),
    await t.fetch('HEAD', '/api/whoami', { headers }),
    await t.fetch('GET', '/api/projects', { headers }),
    await t.fetch('GET', '/api/keys', { headers }),
    await t.fetch('GET', '/nowhere'),
    await t.fetch('GET', '/api/openapi.json'),
    await t.fetch('POST', '/api/auth/sign-out', { headers }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 403, 404, 200, 204])
  for (const { headers: said } of answers) {
    expect(said.get('x-content-type-options')).toBe('nosniff')
    expect(said.get('referrer-policy')).toBe('no-referrer')
    expect(said.get('cache-control')).toBe('no-store')
    expect(said.get('content-security-policy')).toContain("default-src 'none'")
  }
  expect(new Set(answers.map(({ headers: said }) => said.get('x-request-id'))).size).toBe(answers.length)
  expect(answers[0]!.headers.get('content-type')).toBe('application/json')
  expect(answers.at(-1)!.headers.get('content-type')).toBeNull()
})

const Id = z.object({ id: z.string() })
const ask = async (path: string) => {
  const request = new Request(`http://localhost${path}`)
  rememberExchange(request, new Exchange(request, 'req_test', 0, () => null))
  const answer = await new Elysia({ precompile: true })
    .onError(createErrorHandler(() => [], t.ports.log) as never)
    .use(createAccess())
    .get('/fits', () => ({ id: 'canary' }), { open: 'test', response: { 200: Id } })
    .get('/late', async () => ({ id: 'canary', planted: 'x' }), { open: 'test', response: { 200: Id } })
    .get('/unfit', () => ({ id: ['canary'] }) as never, { open: 'test', response: { 200: Id } })
    .get('/unfit-late', async () => ({ id: ['canary'] }) as never, { open: 'test', response: { 200: Id } })
    .get('/no-schema', () => ({ id: 'canary' }), { open: 'test' })
    .get('/other-status', ({ status }) => (status as (code: number, body: object) => never)(202, { id: 'canary' }), {
      open: 'test',
      response: { 200: Id },
    })
    .handle(request)
  return [answer.status, await answer.text()]
}

test('what does not fit its schema, or has none for its status, is a 500 that repeats nothing', async () => {
  for (const path of ['/fits', '/late']) expect(await ask(path)).toEqual([200, '{"id":"canary"}'])
  for (const path of ['/unfit', '/unfit-late', '/no-schema', '/other-status']) {
    const [status, text] = await ask(path)
    expect([path, status]).toEqual([path, 500])
    expect(text).not.toContain('canary')
  }
})

test('two routes do not share what one declares: its second would be answered by the rules of neither', () => {
  const shared = { open: 'test' } as const
  const app = new Elysia().use(createAccess()).get('/one', () => ({ id: 'x' }), shared)
  expect(() => assertEveryRouteDeclaresAccess(app.routes as never)).not.toThrow()
  const both = app.get('/two', () => ({ id: 'x' }), { ...shared, response: { 200: Id } })
  expect(() => assertEveryRouteDeclaresAccess(both.routes as never)).toThrow('GET /two')
})

test('whoami says what somebody is now, however often it said what they were', async () => {
  const [admin, second] = [await t.as('admin'), await t.signIn('second@example.com')]
  await t.join(admin.workspace.id, second.userId, 'member')
  const headers = { ...second.headers, 'x-workspace-id': admin.workspace.id as string }
  const now = async () => {
    const { workspace, permissions } = (await t.call('GET', '/api/whoami', { headers })).body
    return [workspace.role, permissions.includes('media:create')]
  }
  for (let i = 0; i < 2; i++) expect(await now()).toEqual(['member', true])
  expect((await admin.patch(`/api/members/${second.userId}`, { role: 'viewer' })).status).toBe(200)
  for (let i = 0; i < 2; i++) expect(await now()).toEqual(['viewer', false])
})

test('what is frozen is told once, and again as it was; anything else as it now is', async () => {
  const [lasting, passing] = [Object.freeze({ id: 'canary', planted: 'x' }), { id: 'canary' }]
  const app = new Elysia({ precompile: true })
    .use(createAccess())
    .get('/lasting', () => lasting, { open: 'test', response: { 200: Id } })
    .get('/passing', () => passing, { open: 'test', response: { 200: Id } })
  const read = async (path: string) => {
    const request = new Request(`http://localhost${path}`)
    rememberExchange(request, new Exchange(request, `req_${path}`, 0, () => null))
    const answer = await app.handle(request)
    expect(answer.headers.get('x-request-id')).toBe(`req_${path}`)
    return answer.text()
  }
  const stringify = spyOn(JSON, 'stringify')
  for (let i = 0; i < 3; i++) expect(await read('/lasting')).toBe('{"id":"canary"}')
  expect(stringify).toHaveBeenCalledTimes(1)
  stringify.mockRestore()
  expect(await read('/passing')).toBe('{"id":"canary"}')
  passing.id = 'moved'
  expect(await read('/passing')).toBe('{"id":"moved"}')
})
