// DKIM (RFC 6376): what we send is signed for the sender's domain, and whoever has the public key can tell.
import { afterEach, expect, test } from 'bun:test'
import { createHash, createVerify, generateKeyPairSync } from 'node:crypto'
import { createSmtpMailer } from '../src/adapters/mail-smtp'
import { readConfig } from '../src/config'
import { startSmtp } from './smtp'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const der = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
const mail = {
  ...{ messageId: '<out_1@app.example.com>', to: 'ada@example.org', subject: '登录 app.example.com' },
  ...{ text: '您的登录验证码：\n\nABCD-EFGH  \n\n\n', html: '<p>Your code:\tABCD-EFGH</p>' },
}

/** §3.4.2 and §3.4.4, relaxed: a header and a body as they are signed. */
const header = (line: string) => {
  const colon = line.indexOf(':')
  const value = line
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()
  return `${line.slice(0, colon).trim().toLowerCase()}:${value}`
}
const body = (text: string) => {
  const lines = text.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  return `${lines.join('\r\n').replace(/(\r\n)*$/, '')}\r\n`
}

/** Whether the signature of a mail holds, by the rules of §6.1. */
const holds = (raw: string): boolean => {
  const end = raw.indexOf('\r\n\r\n')
  const lines = raw.slice(0, end).split(/\r\n(?![ \t])/)
  const own = lines.find((line) => /^dkim-signature:/i.test(line))
  if (!own) return false
  const tags = Object.fromEntries(
    own
      .slice(own.indexOf(':') + 1)
      .split(';')
      .map((tag) => {
        const at = tag.indexOf('=')
        return [tag.slice(0, at).trim(), tag.slice(at + 1).replace(/\s/g, '')]
      }),
  )
  expect(tags).toMatchObject({ v: '1', a: 'rsa-sha256', c: 'relaxed/relaxed', d: 'example.com', s: 'mail2030' })
  expect(tags.h?.split(':')).toEqual(expect.arrayContaining(['from', 'to', 'subject', 'message-id']))
  if (
    createHash('sha256')
      .update(body(raw.slice(end + 4)))
      .digest('base64') !== tags.bh
  )
    return false
  const rest = [...lines]
  const signed = tags.h!.split(':').flatMap((name) => {
    const at = rest.findLastIndex((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    return at < 0 ? [] : rest.splice(at, 1).map(header)
  })
  const unsigned = header(own).replace(/( ?b=)[^;]*$/, '$1')
  const verify = createVerify('sha256').update(`${signed.join('\r\n')}\r\n${unsigned}`)
  return verify.verify(publicKey, tags.b!, 'base64')
}

const settingsOf = (dkim?: string) =>
  readConfig(
    {
      LATCHKEY_ENV: 'test',
      LATCHKEY_SMTP_URL: 'smtp://127.0.0.1:1',
      LATCHKEY_MAIL_FROM: 'a@example.com',
      LATCHKEY_DKIM: dkim,
    },
    { source: 'source' },
  ).secrets.dkim

const send = async (dkim: ReturnType<typeof settingsOf>) => {
  const server = await startSmtp()
  const mailer = createSmtpMailer({ ...server.settings, dkim })
  open.push(server, mailer)
  await mailer.send(mail)
  return server.received[0]!.raw
}

test('a mail is signed by the key that the setting gives, and any change of it shows', async () => {
  const raw = await send(settingsOf(`mail2030:${der}`))
  expect(holds(raw)).toBe(true)
  expect(holds(raw.replace('Message-ID: <out_1@', 'Message-ID: <out_2@'))).toBe(false)
  expect(holds(raw.replace(/ABCD/, 'ABCE'))).toBe(false)
  const others = raw.replace(/^To: .*$/m, 'To: eve@example.org')
  expect([others === raw, holds(others)]).toEqual([false, false])
})

test('without the setting nothing is signed', async () => {
  expect(settingsOf()).toBeNull()
  expect(await send(null)).not.toMatch(/dkim-signature/i)
})

test('a setting that is no selector and key stops the start, and is not repeated', () => {
  for (const wrong of ['mail2030', `:${der}`, `a b:${der}`, 'mail2030:c2hvcnQ=', `mail2030:${der}!`])
    try {
      settingsOf(wrong)
      throw new Error('it was taken')
    } catch (error) {
      expect(String(error)).toContain('LATCHKEY_DKIM is not')
      expect(String(error)).not.toContain(der.slice(0, 40))
    }
})
