// What crosses the wire about mails in the development inbox.
import { z } from 'zod'

export const InboxMail = z.object({
  id: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  sent_at: z.string(),
})
export type InboxMail = z.infer<typeof InboxMail>
export const InboxList = z.object({ data: z.array(InboxMail) })
