// Uploads whose maker is gone: what they took of the quota is free within one run, and nobody else's is touched.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { uploads } from '../db/schema'
import { builder, statement } from '../src/write'
import { type TestApp, testApp } from './support'
import { tusOf } from './tus'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
beforeEach(async () => {
  t = await testApp()
  admin = await t.as('admin')
})
afterEach(() => t.stop())

const newKey = async () => {
  const { body } = await admin.post('/api/keys', { name: 'k', level: 'write' })
  const client = t.clientOf({ authorization: `Bearer ${body.token}` })
  return { ...tusOf(t, client), revoke: () => admin.delete(`/api/keys/${body.id}`) }
}
const used = async () => (await admin.get('/api/usage/quotas')).body.quotas[0].used as number
const staged = () => readdirSync(join(t.mediaFolder, 'staged')).length
const expire = () => t.app.services.uploads.expire(new AbortController().signal)
const ended = async () => (await admin.get('/api/audit?action=upload.expired')).body.data

test('a revoked key takes no more of the quota than its files, and those of a living one go on', async () => {
  const [thief, living] = [await newKey(), await newKey()]
  const file = await thief.file(await thief.create(3, { raw: 'abc' }))
  const left = await thief.begin(1000)
  await thief.patch(left, 0, 'abc')
  for (let i = 0; i < 20; i++) await thief.begin(1000)
  const kept = await living.begin(6)
  await living.patch(kept, 0, 'uvw')
  expect([await expire(), await used()]).toEqual([0, 3 + 21_000 + 6])
  await thief.revoke()
  expect([await expire(), await used(), staged()]).toEqual([21, 3 + 6, 1])
  expect(await ended()).toHaveLength(21)
  expect((await ended())[0]).toMatchObject({ actor: { type: 'system' }, change: { reason: 'maker_gone' } })
  expect((await living.file(await living.patch(kept, 3, 'xyz'))).bytes.toString()).toBe('uvwxyz')
  expect((await admin.get(`/api/media/${file.id}`)).status).toBe(200)
  expect([await expire(), await used()]).toEqual([0, 3 + 6])
})

test('a member who left or ended their account takes nothing either; one with a lesser role keeps theirs', async () => {
  const people = [await t.as('member'), await t.as('member'), await t.as('member')] as const
  const [removed, leaver, lowered] = people
  for (const person of people) await tusOf(t, person).begin(100)
  await tusOf(t, admin).begin(1)
  await admin.delete(`/api/members/${removed.userId}`)
  await leaver.delete(`/api/members/${leaver.userId}`)
  await admin.patch(`/api/members/${lowered.userId}`, { role: 'viewer' })
  expect([await expire(), await used()]).toEqual([2, 101])
})

test('what a body took whose node was killed is free too, but nothing while another node writes to it', async () => {
  const key = await newKey()
  const at = await key.begin(1000)
  const id = at.split('/').pop() ?? ''
  const set = (change: Partial<typeof uploads.$inferInsert>) =>
    t.db.batch([
      {
        ...statement(builder.update(uploads).set(change).where(eq(uploads.id, id))),
        acrossTenants: 'a test',
      },
    ])
  await set({ metadata: null, lease: 'of another', leaseUntil: Date.now() + 60_000 })
  await key.revoke()
  expect([await expire(), await used()]).toEqual([0, 1000])
  await set({ leaseUntil: Date.now() })
  expect([await expire(), await used()]).toEqual([1, 0])
})
