// A sign-in from a device that is not known is told to the account's owner, who is led to their sessions.
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { proofsOf } from './proofs'
import { type TestApp, testApp } from './support'

let t: TestApp
let p: ReturnType<typeof proofsOf>
beforeEach(async () => {
  t = await testApp()
  p = proofsOf(t)
})
afterEach(() => t.stop())

const email = 'ada@example.com'
const notices = async () => {
  await t.app.services.jobs.runNow('outbox')
  return t.inbox.list().filter((m) => m.to === email && /^A new device/.test(m.subject))
}

test('the first sign-in of an account is news to nobody; a further device is, a known one is not', async () => {
  const first = await p.signInBrowser(email)
  expect(await notices()).toHaveLength(0)
  await p.signInBrowser(email, { device: first.cookies.device! })
  expect(await notices()).toHaveLength(0)
  await p.signInBrowser(email)
  expect(await notices()).toHaveLength(1)
  await t.signIn(email, 'Deploy script')
  expect(await notices()).toHaveLength(2)
  await t.signIn(email, 'Deploy script')
  expect(await notices()).toHaveLength(2)
})

test('the mail says what, from where and when, leads to the sessions, and ends nothing by itself', async () => {
  await t.signIn(email)
  const there = await t.signIn(email, 'Deploy script')
  const [mail] = await notices()
  expect(mail?.text).toContain('Signed in on 2030-01-01 00:00 UTC: Deploy script from 203.0.113.0/24.')
  expect(mail?.html).toContain('href="http://localhost:3000/account"')
  expect([...mail!.text.matchAll(/https?:\/\/\S+/g)].map(([url]) => url)).toEqual(['http://localhost:3000/account'])
  expect((await there.get('/api/me')).status).toBe(200)
})

test('in the language of the account', async () => {
  const ada = await t.signIn(email)
  await ada.patch('/api/me', { locale: 'zh' })
  await t.signIn(email, 'Deploy script')
  await t.app.services.jobs.runNow('outbox')
  expect(t.inbox.list().some((m) => m.subject === '新设备登录了 localhost:3000')).toBe(true)
})
