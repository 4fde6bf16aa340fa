// Mail over SMTP, to a real server: encrypted or not at all, and as we say we send it.
import { afterEach, describe, expect, test } from 'bun:test'
import { createSmtpMailer, type SmtpSettings } from '../src/adapters/mail-smtp'
import { Failure } from '../src/errors'
import type { Mail, Mailer } from '../src/ports'
import { type Smtp, startSmtp } from './smtp'

const mail: Mail = {
  messageId: '<out_1@app.example.com>',
  to: 'ada@example.org',
  subject: 'Sign in to app.example.com',
  text: 'Your code: ABCD-EFGH',
  html: '<p>Your code: ABCD-EFGH</p>',
}

const open: { close(): Promise<void> }[] = []
const serve = async (...args: Parameters<typeof startSmtp>): Promise<Smtp> => {
  const server = await startSmtp(...args)
  open.push(server)
  return server
}
const mailerTo = (server: Pick<Smtp, 'settings'>, change: Partial<SmtpSettings> = {}): Mailer => {
  const mailer = createSmtpMailer({ ...server.settings, ...change })
  open.unshift(mailer)
  return mailer
}
const failureOf = (sending: Promise<void>): Promise<Failure> =>
  sending.then(
    () => Promise.reject(new Error('it was sent')),
    (error: Failure) => error,
  )

afterEach(async () => {
  for (const part of open.splice(0)) await part.close()
})

describe('mail over SMTP', () => {
  test.each(['starttls', 'implicit'] as const)('goes out encrypted by %s, as it was given', async (tls) => {
    const server = await serve({ tls })
    await mailerTo(server).send(mail)
    expect(server.received).toHaveLength(1)
    const [got] = server.received
    expect(got).toMatchObject({ secure: true, from: 'robot@example.com', to: ['ada@example.org'] })
    expect(got).toMatchObject({ subject: mail.subject, text: mail.text, html: mail.html })
    expect(got?.header('from')).toBe('Latchkey <robot@example.com>')
    expect(got?.header('to')).toBe('ada@example.org')
    expect(got?.header('message-id')).toBe(mail.messageId)
    expect(got?.header('auto-submitted')).toBe('auto-generated')
  })

  test('logs in, over TLS, with what the settings say', async () => {
    const auth = { user: 'robot', password: 'p@ss:word' }
    const server = await serve({ auth })
    await mailerTo(server).send(mail)
    expect(server.received[0]).toMatchObject({ user: 'robot', secure: true })
    const wrong = mailerTo(server, { auth: { ...auth, password: 'wrong' } })
    expect(await failureOf(wrong.send(mail))).toMatchObject({ code: 'unavailable', detail: 'mail server: EAUTH 535' })
  })

  test('nothing goes to a server that offers no STARTTLS, unless that was said', async () => {
    const server = await serve({ tls: 'none' })
    expect(await failureOf(mailerTo(server, { tls: 'starttls' }).send(mail))).toBeInstanceOf(Failure)
    expect(server.received).toEqual([])
    await mailerTo(server, { tls: 'off' }).send(mail)
    expect(server.received[0]).toMatchObject({ secure: false })
  })

  test('nothing goes to a server whose certificate is not trusted', async () => {
    const server = await serve()
    const { ca: _, ...settings } = server.settings
    const mailer = createSmtpMailer(settings)
    open.unshift(mailer)
    expect(await failureOf(mailer.send(mail))).toBeInstanceOf(Failure)
    expect(server.received).toEqual([])
  })

  test('a failure says the codes and nothing that the server said', async () => {
    const server = await serve()
    const mailer = mailerTo(server)
    server.behave('refuse')
    const failure = await failureOf(mailer.send(mail))
    expect(failure.detail).toBe('mail server: EENVELOPE 451')
    expect(`${failure.stack} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain('ada@')
    server.behave('take')
    await mailer.send(mail)
    expect(server.received).toHaveLength(1)
  })

  test('a server that is gone fails, and one that is back is found', async () => {
    const server = await startSmtp()
    const mailer = mailerTo(server)
    await mailer.send(mail)
    await server.close()
    expect(await failureOf(mailer.send(mail))).toMatchObject({ code: 'unavailable' })
    expect(await failureOf(mailer.check())).toMatchObject({ code: 'unavailable' })
    const again = await serve({ port: server.settings.port })
    await mailer.check()
    await mailer.send(mail)
    expect(again.received).toHaveLength(1)
  })

  test('a server that takes a mail and says nothing is given up in time, and holds up no other mail', async () => {
    const server = await serve()
    const mailer = mailerTo(server, { timeoutMs: 300 })
    server.behave('stall')
    expect(await failureOf(mailer.send(mail))).toMatchObject({ detail: 'mail server: EABORT' })
    server.behave('take')
    await mailer.send(mail)
    expect(server.received).toHaveLength(2)
  })

  test('kept connections carry many mails at once', async () => {
    const server = await serve()
    const mailer = mailerTo(server)
    const ids = Array.from({ length: 20 }, (_, i) => `<out_${i}@app.example.com>`)
    await Promise.all(ids.map((messageId) => mailer.send({ ...mail, messageId })))
    expect(server.received.map((m) => m.header('message-id')).sort()).toEqual(ids.sort())
  })

  test.each([
    ['the subject', { subject: 'Hello\r\nBcc: eve@example.net' }],
    ['the Message-ID', { messageId: '<x@y>\r\nBcc: eve@example.net' }],
    ['the recipient', { to: 'ada@example.org\r\nBcc: eve@example.net' }],
    ['the recipient, as a command', { to: 'ada@example.org>\r\nRCPT TO:<eve@example.net' }],
    ['the recipient, as a second one', { to: 'ada@example.org, eve@example.net' }],
    ['the text', { text: 'a\r\n.\r\nMAIL FROM:<eve@example.net>\r\n' }],
  ])('no line break in %s adds a header or a recipient', async (_where, change) => {
    const server = await serve()
    const mailer = mailerTo(server)
    await mailer.send({ ...mail, ...change }).catch(() => {})
    await mailer.send(mail)
    for (const got of server.received) {
      expect(got.headerNames).not.toContain('bcc')
      expect(got.to.join()).not.toMatch(/^eve|,eve/)
      expect(got.from).toBe('robot@example.com')
    }
    expect(server.received.at(-1)?.to).toEqual(['ada@example.org'])
  })

  test('a mail reads no file and fetches nothing', async () => {
    const server = await serve()
    const mailer = mailerTo(server)
    const html = { path: '/etc/hostname' } as unknown as string
    await failureOf(mailer.send({ ...mail, html }))
    await failureOf(mailer.send({ ...mail, html: { href: 'http://127.0.0.1:1/' } as unknown as string }))
    expect(server.received).toEqual([])
  })
})
