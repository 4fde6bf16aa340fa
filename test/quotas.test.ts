// Quotas: what is used up is refused whole, however many ask at once, and what is given back can be taken again.
import { afterEach, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { workspaces } from '../db/schema'
import { createApp } from '../src/app'
import { Failure } from '../src/errors'
import { quotaService } from '../src/features/quotas/service'
import type { Plans } from '../src/limits'
import { type House, newHouse } from './house'
import { type Client, origin, type TestApp, testApp } from './support'

const plansOf = (quotas: Plans['plans'][string]['quotas']): Plans => ({
  address: {},
  plans: {
    default: { workspace: {}, caller: {}, quotas },
    wide: { workspace: {}, caller: {}, quotas: { storage_bytes: 1000, requests: 1000 } },
  },
})

let close: (() => Promise<void>) | undefined
afterEach(async () => {
  await close?.()
  close = undefined
})
const start = async (quotas: Plans['plans'][string]['quotas'], env = {}): Promise<TestApp> => {
  const t = await testApp({ env, ports: { plans: plansOf(quotas) } })
  close = t.stop
  return t
}
const usedBy = async (client: Client, resource: string) => {
  const { body } = await client.get('/api/usage/quotas')
  return body.quotas.find((q: { resource: string }) => q.resource === resource)
}
const upload = (client: Client, raw: string) =>
  client.post('/api/media', undefined, { raw, headers: { 'content-type': 'text/plain', 'x-file-name': 'a.txt' } })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof Failure ? error.code : 'thrown'),
  )

test('400 takes at once never overdraw: as many succeed as fit, and not one more', async () => {
  const house: House = await newHouse()
  close = house.close
  const quotas = quotaService({ db: house.db, plans: plansOf({ storage_bytes: 1000 }), clock: house.clock })
  const { admin } = await house.newTenant()
  const take = () =>
    house.write(admin, { action: 'test.taken', targets: [] }, quotas.take(admin.workspace.id, 'storage_bytes', 10))
  const codes = await Promise.all(Array.from({ length: 400 }, () => codeOf(take())))
  expect(codes.filter((code) => code === 'taken').length).toBe(100)
  expect(codes.filter((code) => code === 'quota_exceeded').length).toBe(300)
  const shown = async () => (await quotas.show(admin.workspace.id)).quotas[0]
  expect(await shown()).toEqual({ resource: 'storage_bytes', used: 1000, allowed: 1000, resets_at: null })
  await house.write(admin, { action: 'test.given', targets: [] }, [
    quotas.give(admin.workspace.id, 'storage_bytes', 10),
  ])
  expect([await codeOf(take()), await codeOf(take())]).toEqual(['taken', 'quota_exceeded'])
})

test('credits are what an operator gave, and nothing without', async () => {
  const house = await newHouse()
  close = house.close
  const { quotas } = house
  const { admin } = await house.newTenant()
  const take = () =>
    house.write(admin, { action: 'test.taken', targets: [] }, quotas.take(admin.workspace.id, 'credits', 40))
  expect(await codeOf(take())).toBe('quota_exceeded')
  await house.unaudited('a test', [quotas.setPlan(admin.workspace.id, null, 100)])
  expect([await codeOf(take()), await codeOf(take()), await codeOf(take())]).toEqual([
    'taken',
    'taken',
    'quota_exceeded',
  ])
})

test('a file beyond the storage is refused by its announcement and by its count, leaves nothing, and fits once another went', async () => {
  const t = await start({ storage_bytes: 100 })
  const admin = await t.signIn('ada@example.com')
  const first = await upload(admin, 'x'.repeat(80))
  expect(first.status).toBe(201)
  const refused = await upload(admin, 'x'.repeat(21))
  expect([refused.status, refused.body.code]).toEqual([402, 'quota_exceeded'])
  const stream = new Response('x'.repeat(21)).body!
  expect(
    (await t.call('POST', '/api/media', { raw: stream, headers: { ...admin.headers, 'x-file-name': 'b' } })).status,
  ).toBe(402)
  expect((await admin.get('/api/media')).body.data.length).toBe(1)
  expect(await usedBy(admin, 'storage_bytes')).toMatchObject({ used: 80, allowed: 100 })
  expect((await upload(admin, 'x'.repeat(20))).status).toBe(201)
  expect((await admin.delete(`/api/media/${first.body.id}`)).status).toBe(204)
  expect(await usedBy(admin, 'storage_bytes')).toMatchObject({ used: 20 })
  expect((await upload(admin, 'x'.repeat(80))).status).toBe(201)
  const other = await t.signIn('grace@example.com')
  expect((await upload(other, 'x'.repeat(100))).status).toBe(201)
})

test('twenty uploads at once never store more than the quota', async () => {
  const t = await start({ storage_bytes: 50 })
  const admin = await t.signIn('ada@example.com')
  const answers = await Promise.all(Array.from({ length: 20 }, () => upload(admin, 'x'.repeat(10))))
  expect(answers.map((a) => a.status).sort()).toEqual([...Array(5).fill(201), ...Array(15).fill(402)])
  expect(await usedBy(admin, 'storage_bytes')).toMatchObject({ used: 50 })
})

test('uploads under way count before they end: one that nobody announced is cut off at what the others leave', async () => {
  const mebibyte = new Uint8Array(1 << 20)
  const t = await start({ storage_bytes: 3 * mebibyte.length })
  const admin = await t.signIn('ada@example.com')
  const end = Promise.withResolvers<void>()
  const sent = () => {
    let left = 2
    const stream = new ReadableStream({
      async pull(controller) {
        if (left-- > 0) controller.enqueue(mebibyte.slice())
        else await end.promise.then(() => controller.close())
      },
    })
    return t.call('POST', '/api/media', { raw: stream, headers: { ...admin.headers, 'x-file-name': 'big' } })
  }
  const both = [sent(), sent()]
  expect((await Promise.race(both)).status).toBe(402)
  end.resolve()
  expect((await Promise.all(both)).map((a) => a.status).sort()).toEqual([201, 402])
})

test('keys are counted by their lines: one more is refused, rotation needs no room, a revoked or expired one makes some', async () => {
  const t = await start({ keys: 2 })
  const admin = await t.signIn('ada@example.com')
  const make = (input = {}) => admin.post('/api/keys', { name: 'k', ...input })
  const first = (await make()).body
  const expires_at = new Date(t.clock.now() + 60_000).toISOString()
  expect((await make({ expires_at })).status).toBe(201)
  expect((await make()).body.code).toBe('quota_exceeded')
  expect((await admin.get('/api/keys')).body.data.length).toBe(2)
  expect((await admin.post(`/api/keys/${first.id}/rotate`, { grace_seconds: 3600 })).status).toBe(201)
  t.clock.advance(60_001)
  expect([(await make()).status, (await make()).status]).toEqual([201, 402])
  const { body } = await admin.get('/api/keys')
  await admin.delete(`/api/keys/${body.data[0].id}`)
  expect((await make()).status).toBe(201)
})

test('a member too many does not get in; once another has left, they do', async () => {
  const t = await start({ members: 2 })
  const [admin, bob, eve] = [
    await t.signIn('ada@example.com'),
    await t.signIn('bob@example.com'),
    await t.signIn('eve@example.com'),
  ]
  const offer = async (email: string) => (await admin.post('/api/invitations', { email, role: 'member' })).body.id
  const accept = async (who: Client, id: string) => (await who.post(`/api/invitations/${id}/accept`)).status
  const [forBob, forEve] = [await offer('bob@example.com'), await offer('eve@example.com')]
  expect(await accept(bob, forBob)).toBeLessThan(300)
  expect(await accept(eve, forEve)).toBe(402)
  await admin.delete(`/api/members/${bob.userId}`)
  expect(await accept(eve, forEve)).toBeLessThan(300)
})

test('the requests of a month end with 402, for that workspace alone, and begin anew with the next', async () => {
  const t = await start({ requests: 5 })
  const [admin, other] = [await t.signIn('ada@example.com'), await t.signIn('grace@example.com')]
  // Signing in asked for the account, which is one.
  const seen: number[] = []
  for (let i = 0; i < 6; i++) seen.push((await admin.get('/api/projects')).status)
  expect(seen).toEqual([200, 200, 200, 200, 402, 402])
  expect((await other.get('/api/projects')).status).toBe(200)
  await t.app.services.usage.flush()
  expect((await admin.get('/api/projects')).body.code).toBe('quota_exceeded')
  t.clock.advance(31 * 86_400_000)
  const again = await t.signIn('ada@example.com')
  expect((await again.get('/api/projects')).status).toBe(200)
})

test('400 requests at once are answered as often as the month still allows, and not once more', async () => {
  const t = await start({ requests: 100 })
  const admin = await t.signIn('ada@example.com')
  await admin.get('/api/projects')
  const answers = await Promise.all(Array.from({ length: 400 }, () => admin.get('/api/projects')))
  await t.app.services.usage.flush()
  const [row] = await t.db.orm.select().from(workspaces).where(eq(workspaces.id, admin.workspace.id))
  const { quotas } = await t.app.services.quotas.show(row!.workspaceId)
  expect(quotas.find((q) => q.resource === 'requests')?.used).toBe(100)
  const count = (status: number) => answers.filter((a) => a.status === status).length
  expect([count(200) < 100, count(402) > 300, count(200) + count(402)]).toEqual([true, true, 400])
})

test('a month that is used up keeps nobody from taking rights away, from seeing who has them, nor from their own account', async () => {
  const t = await start({ requests: 12 })
  const admin = await t.as('admin')
  const member = await t.as('member')
  const { body: key } = await admin.post('/api/keys', { name: 'stolen', level: 'read' })
  const thief = t.clientOf({ authorization: `Bearer ${key.token}` })
  const { body: file } = await upload(admin, 'bytes')
  const { body: link } = await admin.post(`/api/media/${file.id}/links`, {})
  const isUsedUp = async () => (await thief.get('/api/whoami')).status === 402
  while (!(await isUsedUp())) {}
  const statusOf = async (asked: Promise<{ status: number }>) => (await asked).status
  const cookie = { cookie: `session=${admin.token}`, origin }

  for (const refused of [
    admin.get('/api/projects'),
    admin.get(`/api/media/${file.id}`),
    t.call('GET', link.url),
    admin.post(`/api/media/${file.id}/links`, {}),
    admin.post('/api/keys', { name: 'more' }),
  ])
    expect(await statusOf(refused)).toBe(402)

  for (const path of ['/api/whoami', '/api/usage', '/api/audit']) expect(await statusOf(admin.get(path))).toBe(200)
  expect((await admin.get('/api/keys')).body.data).toHaveLength(1)
  expect(await statusOf(admin.delete(`/api/keys/${key.id}`))).toBe(200)
  expect(await statusOf(thief.get('/api/whoami'))).toBe(401)
  expect(await statusOf(admin.delete(`/api/links/${link.id}`))).toBe(204)
  expect(await statusOf(admin.delete(`/api/media/${file.id}`))).toBe(204)
  expect(await statusOf(admin.delete(`/api/members/${member.userId}`))).toBe(204)
  expect(await statusOf(t.call('POST', '/api/leaks', { headers: cookie, body: { token: 'x' } }))).toBe(202)
  expect(await statusOf(admin.post('/api/sessions/revoke', { which: 'others' }))).toBe(200)
  expect(await statusOf(admin.post('/api/auth/sign-out'))).toBe(204)
  const again = await t.signIn('founder@example.com')
  expect(await statusOf(again.delete('/api/me'))).toBeLessThan(300)
})

test('a program that is started anew knows what the month has used before it lets anybody in', async () => {
  const t = await start({ requests: 3 })
  const admin = await t.signIn('ada@example.com')
  const other = await t.signIn('grace@example.com')
  for (let i = 0; i < 3; i++) await admin.get('/api/projects')
  await t.app.services.usage.flush()
  const anew = await createApp(t.config, t.ports)
  const ask = ({ headers }: Client) =>
    anew.fetch(new Request(`${origin}/api/projects`, { headers: { host: 'localhost:3000', ...headers } }), () => null)
  expect((await ask(admin)).status).toBe(402)
  expect((await ask(other)).status).toBe(200)
})
