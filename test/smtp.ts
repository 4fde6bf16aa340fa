// A real mail server on loopback: STARTTLS or TLS from the start, with logins, and faults on demand.
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { SmtpSettings } from '../src/adapters/mail-smtp'
import { testCertificate, testKey } from './data/certificate'
import { readMail } from './mime'

/** A mail as it arrived. `from` and `to` are the envelope's. */
export type Received = ReturnType<typeof readMail> & {
  from: string
  to: string[]
  secure: boolean
  user: string | null
}

/**
 * `take`: as a mail server does. `refuse`: 451 to every recipient. `lose`: takes the mail, and breaks off before it says
 * so. `stall`: says nothing more once the mail is in.
 */
export type Mode = 'take' | 'refuse' | 'lose' | 'stall'

type Options = {
  /** `none`: STARTTLS is neither offered nor understood. */
  tls?: 'starttls' | 'implicit' | 'none'
  auth?: { user: string; password: string }
  /** To start again where one was closed; else any free port. */
  port?: number
}

export const startSmtp = async ({ tls = 'starttls', auth, port = 0 }: Options = {}) => {
  const received: Received[] = []
  const waiting: (() => void)[] = []
  let mode: Mode = 'take'

  const server = new SMTPServer({
    ...{ key: testKey, cert: testCertificate, secure: tls === 'implicit' },
    ...{ disabledCommands: tls === 'none' ? ['STARTTLS'] : [], allowInsecureAuth: tls === 'none' },
    ...{ authOptional: !auth, disableReverseLookup: true, closeTimeout: 10 },
    onAuth: ({ username, password }, _session, done) =>
      username === auth?.user && password === auth?.password
        ? done(null, { user: username })
        : done(new Error('No such login')),
    onRcptTo: ({ address }, _session, done) =>
      mode === 'refuse' ? done(Object.assign(new Error(`Try later: ${address}`), { responseCode: 451 })) : done(),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map((r) => r.address) }
        const mail = readMail(Buffer.concat(chunks).toString())
        received.push({ ...mail, ...envelope, secure: session.secure, user: session.user || null })
        for (const tell of waiting.splice(0)) tell()
        if (mode === 'lose') for (const connection of server.connections) connection.close()
        else if (mode !== 'stall') done()
      })
    },
  })
  // A client that gives up is no fault of the server.
  server.on('error', () => {})
  const listening = Promise.withResolvers<void>()
  const socket = server.listen(port, '127.0.0.1', listening.resolve)
  await listening.promise
  const at = (socket.address() as AddressInfo).port
  const login = auth ? `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.password)}@` : ''
  const settings: SmtpSettings = {
    ...{ host: '127.0.0.1', port: at, tls: tls === 'none' ? 'off' : tls, auth: auth ?? null },
    ...{ from: 'Latchkey <robot@example.com>', ca: testCertificate },
  }

  return {
    /** As LATCHKEY_SMTP_URL. */
    url: `${tls === 'implicit' ? 'smtps' : 'smtp'}://${login}127.0.0.1:${at}${tls === 'none' ? '?tls=off' : ''}`,
    /** For `createSmtpMailer`, which is told to trust its certificate. */
    settings,
    /** What arrived, in order. */
    received,
    /** The mails, once there are `count` of them. */
    async wait(count: number): Promise<readonly Received[]> {
      while (received.length < count) await new Promise<void>((tell) => waiting.push(tell))
      return received
    },
    behave: (as: Mode): void => {
      mode = as
    },
    close: (): Promise<void> => new Promise((done) => server.close(() => done())),
  }
}
export type Smtp = Awaited<ReturnType<typeof startSmtp>>
