// Development's mail: kept in memory and shown at /inbox instead of sent.
import type { Clock, Mail, Mailer } from '../ports'

const maxKept = 100

type KeptMail = Omit<Mail, 'messageId'> & { id: string; sentAt: number }

/** The newest 100 mails, newest first; one that is sent again under its Message-ID takes its own place. */
export const createInbox = ({ clock }: { clock: Clock }) => {
  let kept: readonly KeptMail[] = []
  const mailer: Mailer = {
    send: async ({ messageId, ...mail }) => {
      const id = messageId.slice(1, messageId.indexOf('@'))
      kept = [{ id, ...mail, sentAt: clock.now() }, ...kept.filter((other) => other.id !== id)].slice(0, maxKept)
    },
    check: async () => {},
    close: async () => {},
  }
  return { mailer, list: (): readonly KeptMail[] => kept }
}
