// A body may be held back for as long as its sender likes: a right that ends meanwhile is gone when the rest arrives.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { newId } from '../src/lib/id'
import { type Client, type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

/** A JSON body whose second half comes when told. */
const heldBack = (json: string) => {
  const release = Promise.withResolvers<void>()
  const halves = [json.slice(0, 1), json.slice(1)].map((half) => new TextEncoder().encode(half))
  const stream = new ReadableStream({
    async pull(controller) {
      if (halves.length === 1) await release.promise
      controller.enqueue(halves.shift()!)
      if (halves.length === 0) controller.close()
    },
  })
  return { stream, release: () => release.resolve() }
}

const targets = () =>
  t.app.routes
    .filter(({ hooks }) => (hooks as { body?: unknown }).body !== undefined)
    .filter(
      ({ hooks }) => !String((hooks as { detail: Record<string, string> }).detail['x-access']).startsWith('open: '),
    )
    // Its head alone is refused to whoever is no operator.
    .filter(({ path }) => !path.startsWith('/api/operator/'))
    .map(({ method, path }) => ({ method, target: path.replace(/\/$/, '').replace(/:\w+/g, () => newId('prj')) }))

/** The answers of every route that takes a body, `meanwhile` having happened between its halves. */
const answersAfter = async (who: Client, meanwhile: () => Promise<unknown>) => {
  const asked = targets().map(({ method, target }) => {
    const { stream, release } = heldBack('{}')
    const headers = { ...who.headers, 'content-type': 'application/json' }
    return { method, target, release, answer: t.fetch(method, target, { headers, raw: stream }) }
  })
  await meanwhile()
  for (const { release } of asked) release()
  return Promise.all(
    asked.map(async ({ method, target, answer }) => ({ method, target, status: (await answer).status })),
  )
}

test('a session that ends while its body is held back changes nothing on any route', async () => {
  const [ada, other] = [await t.signIn('ada@example.com'), await t.signIn('ada@example.com')]
  const before = await answersAfter(ada, async () => {})
  expect(before.length).toBeGreaterThan(12)
  expect(before.filter(({ status }) => status === 401)).toEqual([])
  const after = await answersAfter(ada, () => other.post('/api/sessions/revoke', { which: 'others' }))
  expect(after.filter(({ status }) => status !== 401)).toEqual([])
})

test('a key that is revoked while its body is held back changes nothing on any route', async () => {
  const ada = await t.signIn('ada@example.com')
  const { body: made } = await ada.post('/api/keys', { name: 'held' })
  const key = t.clientOf({ authorization: `Bearer ${made.token}` })
  const after = await answersAfter(key, () => ada.delete(`/api/keys/${made.id}`))
  const refused = new Set(after.map(({ status }) => status))
  expect([...refused].sort()).toEqual([401, 403])
  const made2 = await ada.post('/api/keys', { name: 'free' })
  const free = t.clientOf({ authorization: `Bearer ${made2.body.token}` })
  expect((await answersAfter(free, async () => {})).some(({ status }) => status === 422)).toBe(true)
})

test('an admin who is demoted while the body is held back does not make themselves one again', async () => {
  const admin = await t.as('admin')
  const second = await t.signIn('second@example.com')
  await t.join(admin.workspace.id, second.userId, 'admin')
  const inside = t.clientOf({ ...second.headers, 'x-workspace-id': admin.workspace.id })
  const { stream, release } = heldBack('{"role":"admin"}')
  const headers = { ...inside.headers, 'content-type': 'application/json' }
  const answer = t.fetch('PATCH', `/api/members/${second.userId}`, { headers, raw: stream })
  expect((await admin.patch(`/api/members/${second.userId}`, { role: 'viewer' })).status).toBe(200)
  release()
  expect((await answer).status).toBe(403)
  const { body } = await admin.get('/api/members')
  expect(body.data.find((m: { user_id: string }) => m.user_id === second.userId).role).toBe('viewer')
})
