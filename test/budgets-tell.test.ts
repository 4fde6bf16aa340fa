// Budgets of mail tell nothing of an address: who counts which later mail still arrives learns no more than from the answers.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp({ env: { LATCHKEY_RATE_LIMITS: 'default' } })
})
afterEach(() => t.stop())

const start = (email: string, from: string) =>
  t.call('POST', '/api/auth/start', { body: { email, transport: 'token' }, from })
const mailsTo = async (address: string) => {
  await t.app.services.jobs.runNow('outbox')
  return t.inbox.list().filter(({ to }) => to === address)
}

describe('how many later mails arrive', () => {
  const [known, unknown] = ['known@example.com', 'unknown@example.com']
  let asker = 0
  /** Asks for twenty mails to the asker's own mailboxes after `first`, all from a fresh address; gives how many came. */
  const ownMails = async (first: (from: string) => Promise<unknown>) => {
    asker += 1
    const from = `198.51.100.${asker}`
    const own = Array.from({ length: 20 }, (_, i) => `own-${asker}-${i}@example.org`)
    await first(from)
    for (const mailbox of own) await start(mailbox, from)
    await t.app.services.jobs.runNow('outbox')
    return t.inbox.list().filter(({ to }) => own.includes(to)).length
  }

  test('does not tell whether an address that may not sign up has an account', async () => {
    const open = t
    await open.signIn(known)
    await open.app.stop()
    const env = { LATCHKEY_SIGN_UP: 'domains:example.org', LATCHKEY_RATE_LIMITS: 'default' }
    t = await testApp({ env, ports: { db: open.db, keyring: open.ports.keyring } })
    expect(await ownMails(async () => {})).toBe(20)
    for (const target of [known, unknown]) expect(await ownMails((from) => start(target, from))).toBe(19)
    expect((await mailsTo(known)).length).toBe(1)
    expect(await mailsTo(unknown)).toEqual([])
    await open.db.close()
  })

  test('does not tell whether an address that one would move to has an account', async () => {
    await t.signIn(known)
    const move = async (to: string[]) => {
      const eve = await t.signIn(`eve-${to[0]}`)
      const before = t.inbox.list().length
      for (const address of to) expect((await eve.post('/api/me/email', { email: address })).status).toBe(202)
      await t.app.services.jobs.runNow('outbox')
      return t.inbox.list().slice(0, -before)
    }
    const own = (name: string) => Array.from({ length: 20 }, (_, i) => `${name}-${i}@example.org`)
    expect((await move(own('twin'))).length).toBe(20)
    for (const target of [known, unknown]) {
      const mails = await move([target, ...own(`own-${target.slice(0, 1)}`)])
      expect(mails.filter(({ to }) => to !== target).length).toBe(19)
      expect(mails.filter(({ to }) => to === target).length).toBe(target === known ? 0 : 1)
    }
  })

  test('does not tell what others have asked for at a mailbox', async () => {
    for (let i = 0; i < 5; i++) await start(known, `192.0.2.${i}`)
    const five = (target: string) => async (from: string) => {
      for (let i = 0; i < 5; i++) await start(target, from)
    }
    for (const target of [known, unknown]) {
      expect(await ownMails(five(target))).toBe(15)
      expect((await mailsTo(target)).length).toBe(5)
    }
  })
})
