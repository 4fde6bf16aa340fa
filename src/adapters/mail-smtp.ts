// Mail over SMTP (RFC 5321) by nodemailer: a few kept connections, encrypted or nothing, each mail within a time.
import { createTransport, type NodemailerError } from 'nodemailer'
import { Failure } from '../errors'
import type { Mailer } from '../ports'

export type SmtpSettings = {
  host: string
  port: number
  /** `starttls`: demanded of the server, which is sent nothing without it (RFC 3207). `off` is for development. */
  tls: 'implicit' | 'starttls' | 'off'
  /** `Name <address>` or an address. */
  from: string
  auth: { user: string; password: string } | null
  /** Signs each mail for the domain of `from` (RFC 6376, rsa-sha256, relaxed). */
  dkim?: { selector: string; privateKey: string } | null
  /** PEM of the only authority to trust, instead of the system's. */
  ca?: string
  /** For a mail from first to last, whatever a server does: less than the lease that its sender holds on it. */
  timeoutMs?: number
}

const timeouts = { dnsTimeout: 5_000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000 }

const readSender = (from: string) => {
  const [, name = '', address = ''] = /^(?:(.*?) *<)?([^<>]+)>?$/.exec(from) ?? []
  return { name, address }
}

/** Replies quote addresses and text: only codes leave here. */
const refused = (error: unknown): Failure => {
  const { code = 'ERROR', responseCode } = error as Partial<NodemailerError>
  return new Failure('unavailable', `mail server: ${[code, responseCode].filter(Boolean).join(' ')}`)
}

const fail = (error: unknown): never => {
  throw refused(error)
}

/** Both fail with `unavailable`, naming the codes of the failure alone. */
export const createSmtpMailer = ({
  host,
  port,
  tls,
  from,
  auth,
  dkim,
  ca,
  timeoutMs = 20_000,
}: SmtpSettings): Mailer => {
  const sender = readSender(from)
  const transport = createTransport({
    ...{ host, port, pool: true, maxConnections: 5, ...timeouts },
    ...{ secure: tls === 'implicit', requireTLS: tls === 'starttls', ignoreTLS: tls === 'off' },
    ...{ disableFileAccess: true, disableUrlAccess: true },
    ...(auth && { auth: { user: auth.user, pass: auth.password } }),
    ...(dkim && {
      dkim: {
        domainName: sender.address.slice(sender.address.lastIndexOf('@') + 1),
        keySelector: dkim.selector,
        privateKey: dkim.privateKey,
      },
    }),
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
  })

  return {
    send: async ({ messageId, to, subject, text, html }) => {
      // As objects, also in the envelope: nodemailer would parse a string, and find further addresses in it.
      const parties = { from: sender, to: { name: '', address: to } }
      await transport
        .sendMail({
          ...{ messageId, subject, text, html, ...parties, envelope: parties },
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(timeoutMs),
        })
        .catch(fail)
    },
    check: async () => {
      await transport.verify().catch(fail)
    },
    close: async () => transport.close(),
  }
}
