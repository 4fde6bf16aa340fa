// Which feature says what a mail tells, by template.
import type { AccountService } from '../account/service'
import type { AuthService } from '../auth/service'
import type { InvitationService } from '../invitations/service'
import type { SessionService } from '../sessions/service'
import type { Addressed, Rendering } from './service'

type Sources = {
  auth: Pick<AuthService, 'mailOf'>
  account: Pick<AccountService, 'mailboxOf' | 'mailOfChange'>
  invitations: Pick<InvitationService, 'mailOf'>
  sessions: Pick<SessionService, 'find'>
  erasure: { mailOf: (told: string, at: number) => Addressed }
}

export const createLetters = ({ auth, account, invitations, sessions, erasure }: Sources): Rendering => {
  const ofDevice = async (sessionId: string): Promise<Addressed | null> => {
    const session = await sessions.find(sessionId)
    const mailbox = session && (await account.mailboxOf(session.userId))
    if (!session || !mailbox) return null
    const { label, from, at } = session
    return { to: mailbox.to, link: 'account', label, from, at }
  }

  return async ({ template, about, createdAt }) => {
    if (template === 'invitation') return invitations.mailOf(about)
    if (template === 'new-device') return ofDevice(about)
    if (template === 'email-changed') return account.mailOfChange(about)
    if (template === 'account-deleted') return erasure.mailOf(about, createdAt)
    return auth.mailOf(about)
  }
}
