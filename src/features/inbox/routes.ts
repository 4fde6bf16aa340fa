// The development inbox over HTTP: mails that were shown instead of sent. Mounted in development only.
import { Elysia } from 'elysia'
import { Failure } from '../../errors'
import type { Access } from '../../http/access'
import { rfc3339 } from '../../lib/time'
import { InboxList, type InboxMail } from './model'

/** Where the mails are: newest first. `sentAt` in ms since 1970 UTC. */
export type Inbox = { list(): readonly (Omit<InboxMail, 'sent_at'> & { sentAt: number })[] }

// A mail is no page of ours: without scripts, without our origin, inside our inbox only; its links open beside it.
const mailHeaders = {
  'content-type': 'text/html;charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
}

export const inboxRoutes = (access: Access, inbox: Inbox) =>
  new Elysia({ name: 'inbox' })
    .use(access)
    .get(
      '/inbox.json',
      () => ({ data: inbox.list().map(({ sentAt, ...mail }) => ({ ...mail, sent_at: rfc3339(sentAt) })) }),
      { open: 'development only: shows mail instead of sending it', response: { 200: InboxList } },
    )
    .get(
      '/inbox/:id',
      ({ params }) => {
        const mail = inbox.list().find(({ id }) => id === params.id)
        if (!mail) throw new Failure('not_found')
        return new Response(`<!doctype html><base target="_blank">${mail.html}`, { headers: mailHeaders })
      },
      { open: 'development only: the HTML of one mail, to be framed', parse: 'none' },
    )
