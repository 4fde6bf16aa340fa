// Bad luck with the mail server: mail waits and none is lost, readiness says so, and nobody is kept from asking.
import { afterEach, describe, expect, test } from 'bun:test'
import { createSmtpMailer } from '../src/adapters/mail-smtp'
import { type Smtp, startSmtp } from './smtp'
import { type TestApp, testApp } from './support'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const email = 'ada@example.com'
const minuteMs = 60_000

const appWith = async (server: Smtp, change: Partial<Parameters<typeof createSmtpMailer>[0]> = {}) => {
  const mailer = createSmtpMailer({ ...server.settings, timeoutMs: 500, ...change })
  const t = await testApp({ ports: { mailer } })
  open.push(t.stop, mailer.close)
  return t
}
const serve = async (...args: Parameters<typeof startSmtp>) => {
  const server = await startSmtp(...args)
  open.push(server.close)
  return server
}
const ask = async (t: TestApp) =>
  (await t.call('POST', '/api/auth/start', { body: { email, transport: 'token' } })).body
const deliver = (t: TestApp) => t.app.services.jobs.runNow('outbox')
const ready = async (t: TestApp) => {
  const answer = await t.call('GET', '/v1/health/ready')
  return [answer.status, answer.body.status, answer.body.checks.mail]
}
const works = [200, 'ok', 'ok']
const delayed = [200, 'ok', 'failing']

/** Asks; the mail waits and readiness says so. Then the trouble ends, and the same challenge is redeemed by the mail. */
const waitsThrough = async (t: TestApp, server: Smtp, end: () => unknown) => {
  const { challenge_id, binding } = await ask(t)
  await deliver(t)
  t.clock.advance(minuteMs + 1)
  await deliver(t)
  expect(await ready(t)).toEqual(delayed)
  await end()
  t.clock.advance(minuteMs)
  await deliver(t)
  const mail = server.received.findLast((m) => m.to[0] === email)
  const code = /\b\w{4}-\w{4}\b/.exec(mail?.text ?? '')?.[0]
  const proof = await t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code } })
  expect(proof.status).toBe(200)
  expect(await ready(t)).toEqual(works)
  return new Set(server.received.map((m) => m.header('message-id'))).size
}

describe('mail is delayed and not lost, and readiness says so, while the server', () => {
  test('refuses, as one that greylists does at first', async () => {
    const server = await serve()
    const t = await appWith(server)
    expect(await ready(t)).toEqual(works)
    server.behave('refuse')
    expect(await waitsThrough(t, server, () => server.behave('take'))).toBe(1)
    expect(server.received).toHaveLength(1)
  })

  test('takes a mail and never says so', async () => {
    const server = await serve()
    const t = await appWith(server)
    server.behave('stall')
    expect(await waitsThrough(t, server, () => server.behave('take'))).toBe(1)
  })

  test('breaks off before it says so', async () => {
    const server = await serve()
    const t = await appWith(server)
    server.behave('lose')
    expect(await waitsThrough(t, server, () => server.behave('take'))).toBe(1)
  })

  test('is dead', async () => {
    const dead = await startSmtp()
    const { port } = dead.settings
    const t = await appWith(dead)
    await dead.close()
    const { challenge_id, binding } = await ask(t)
    await deliver(t)
    expect(await ready(t)).toEqual(delayed)
    const back = await serve({ port })
    t.clock.advance(minuteMs)
    await deliver(t)
    const code = /\b\w{4}-\w{4}\b/.exec(back.received[0]!.text)![0]
    expect((await t.call('POST', '/api/auth/verify', { body: { challenge_id, binding, code } })).status).toBe(200)
    expect(await ready(t)).toEqual(works)
  })

  test('offers no encryption: it is told nothing, not even who is written to', async () => {
    const plain = await serve({ tls: 'none' })
    const t = await appWith(plain, { tls: 'starttls' })
    await ask(t)
    await deliver(t)
    expect([plain.received, await ready(t)]).toEqual([[], delayed])
    // The same server where plain text was said to be right.
    const loose = await appWith(plain)
    await ask(loose)
    await deliver(loose)
    expect(plain.received).toHaveLength(1)
  })
})

test('readiness does not wait for a server that says nothing', async () => {
  const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
  open.push(async () => silent.stop(true))
  const server = await serve()
  const t = await appWith(server, { port: silent.port })
  const asked = ready(t)
  // Two seconds by the clock of the program, which leaves the other checks a fifth of a second to answer.
  const tick = setInterval(() => t.clock.advance(10), 1)
  expect(await asked).toEqual(delayed)
  clearInterval(tick)
})
