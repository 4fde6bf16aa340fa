// API keys and the audit over HTTP: who is let in, how each refusal looks, and what no answer says.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type TestApp, testApp } from './support'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
let made: { id: string; token: string }

beforeEach(async () => {
  t = await testApp()
  admin = await t.as('admin')
  made = (await admin.post('/api/keys', { name: 'CI' })).body
})
afterEach(() => t.stop())

const newKey = async (input: Record<string, unknown>) => {
  const { body } = await admin.post('/api/keys', { name: 'key', ...input })
  return { ...t.clientOf({ authorization: `Bearer ${body.token}` }), id: body.id as string }
}

test('members and viewers neither see, make nor end keys, nor read the audit; an admin does', async () => {
  for (const role of ['viewer', 'member'] as const) {
    const { get, post, patch, delete: end } = await t.as(role)
    for (const answer of [
      await get('/api/keys'),
      await post('/api/keys', { name: 'mine' }),
      await get(`/api/keys/${made.id}`),
      await patch(`/api/keys/${made.id}`, { name: 'mine' }),
      await end(`/api/keys/${made.id}`),
      await get('/api/audit'),
      await get('/api/audit/verify'),
    ])
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  }
  for (const target of ['/api/keys', `/api/keys/${made.id}`, '/api/audit', '/api/audit/verify'])
    expect((await admin.get(target)).status).toBe(200)
})

test('a key makes no key, whatever its level', async () => {
  for (const level of ['read', 'write', 'delete', 'admin']) {
    const key = await newKey({ level })
    expect(await key.post('/api/keys', { name: 'x' })).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    expect((await key.get('/api/whoami')).status).toBe(200)
  }
})

test('a read key ends itself and is a stranger from then on; it ends no other', async () => {
  const [key, other] = [await newKey({ level: 'read' }), await newKey({ level: 'read' })]
  expect((await key.delete(`/api/keys/${other.id}`)).status).toBe(403)
  expect((await other.get('/api/whoami')).status).toBe(200)
  expect(await key.delete(`/api/keys/${key.id}`)).toMatchObject({ status: 200, body: { this_node: 'immediate' } })
  expect(await key.get('/api/whoami')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
})

test('making a key asks for a fresh sign-in, reading does not', async () => {
  const person = await t.signIn('later@example.com')
  t.clock.advance(10 * 60_000 + 1)
  const stale = await person.post('/api/keys', { name: 'late' })
  expect(stale).toMatchObject({ status: 403, body: { code: 'step_up_required' } })
  expect(await person.get('/api/keys')).toMatchObject({ status: 200, body: { data: [] } })
  expect((await (await t.signIn('later@example.com')).post('/api/keys', { name: 'late' })).status).toBe(201)
})

test('what is not an id, no key, and a key of another workspace are answered alike', async () => {
  const stranger = await t.signIn('stranger@example.com')
  const answers = []
  for (const id of [made.id, 'key_0000000000000000000000', 'nonsense', '%2F..', '%00'])
    for (const { status, body } of [
      await stranger.get(`/api/keys/${id}`),
      await stranger.patch(`/api/keys/${id}`, { name: 'mine' }),
      await stranger.delete(`/api/keys/${id}`),
    ])
      answers.push(JSON.stringify({ status, ...body, request_id: '' }))
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('not_found')
  expect((await admin.get(`/api/keys/${made.id}`)).body).toMatchObject({ name: 'CI', status: 'active' })
})

test('a body names no workspace, owner or hash, and no answer but the first holds the token', async () => {
  for (const field of ['workspace_id', 'created_by', 'token', 'token_hash', 'role'])
    expect(await admin.post('/api/keys', { name: 'x', [field]: 'x' })).toMatchObject({
      ...{ status: 400, body: { code: 'unknown_field' } },
    })
  const answers = [await admin.get('/api/keys'), await admin.get(`/api/keys/${made.id}`), await admin.get('/api/audit')]
  const text = JSON.stringify([...answers, await admin.patch(`/api/keys/${made.id}`, { name: 'CI' })])
  expect(text).toContain(made.id)
  for (const hidden of [made.token, 'token', 'workspace_id', 'kid']) expect(text).not.toContain(hidden)
})

test('a use is told to the minute, once it is written', async () => {
  const key = await newKey({})
  await key.get('/api/whoami')
  await t.app.services.keys.flushUsed()
  const { body } = await admin.get(`/api/keys/${key.id}`)
  expect(body.last_used_at).toBe(new Date(t.clock.now()).toISOString())
})
