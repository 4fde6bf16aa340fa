// The public API as the console calls it: one line a route, its types those of the server.
import type { ChangeEmail, Me, UpdateMe, Whoami } from '../features/account/model'
import type { SignedIn, StartedChallenge } from '../features/auth/model'
import type { Device } from '../features/devices/model'
import type { Ready } from '../features/health/model'
import type { InboxMail } from '../features/inbox/model'
import type { Accepted, Offer } from '../features/invitations/model'
import type { Session } from '../features/sessions/model'
import type { CreateWorkspace, UpdateWorkspace, Workspace } from '../features/workspaces/model'
import type { Page } from '../lib/page'
import { createSend, type Fetch, type Hooks } from './send'
import { workspaceApi } from './workspace-api'

export type { Device, InboxMail, Me, Offer, Page, Ready, Session, StartedChallenge, Workspace }

const id = encodeURIComponent

export const createApi = (fetch: Fetch, hooks: Hooks) => {
  const send = createSend(fetch, hooks)
  return {
    ...workspaceApi(send),

    start: (email: string, locale: string, redirect: string | undefined, human: string | undefined) =>
      send<StartedChallenge>('POST', '/api/auth/start', { email, locale, redirect, human }),
    resend: (challenge_id: string) => send<StartedChallenge>('POST', '/api/auth/resend', { challenge_id }),
    verify: (challenge_id: string, code: string, human: string | undefined) =>
      send<SignedIn>('POST', '/api/auth/verify', { challenge_id, code, human }),
    openLink: (challenge_id: string, secret: string) =>
      send<SignedIn>('POST', '/api/auth/link', { challenge_id, secret }),
    stepUp: () => send<StartedChallenge>('POST', '/api/auth/step-up', {}),
    signOut: () => send('POST', '/api/auth/sign-out'),

    me: () => send<Me>('GET', '/api/me'),
    updateMe: (change: UpdateMe) => send<Me>('PATCH', '/api/me', change),
    changeEmail: (change: ChangeEmail) => send<StartedChallenge>('POST', '/api/me/email', change),
    exportMe: () => send<object>('GET', '/api/me/export'),
    /** Nothing where it is done; a challenge where the mailbox is asked first. */
    deleteMe: () => send<StartedChallenge | undefined>('DELETE', '/api/me'),
    whoami: (project?: string) => send<Whoami>('GET', '/api/whoami', undefined, { project, quiet: true }),
    offers: () => send<Page<Offer>>('GET', '/api/me/invitations'),
    acceptOffer: (offer: string) => send<Accepted>('POST', `/api/invitations/${id(offer)}/accept`),

    sessions: () => send<Page<Session>>('GET', '/api/sessions'),
    endSession: (session: string) => send('DELETE', `/api/sessions/${id(session)}`),
    endSessions: (which: 'others' | 'all') => send('POST', '/api/sessions/revoke', { which }),
    devices: () => send<Page<Device>>('GET', '/api/devices'),
    forgetDevice: (device: string) => send('DELETE', `/api/devices/${id(device)}`),

    workspaces: () => send<Page<Workspace>>('GET', '/api/workspaces'),
    createWorkspace: (made: CreateWorkspace) => send<Workspace>('POST', '/api/workspaces', made),
    updateWorkspace: (workspace: string, change: UpdateWorkspace) =>
      send<Workspace>('PATCH', `/api/workspaces/${id(workspace)}`, change),
    deleteWorkspace: (workspace: string) => send<Workspace>('DELETE', `/api/workspaces/${id(workspace)}`),
    restoreWorkspace: (workspace: string) => send<Workspace>('POST', `/api/workspaces/${id(workspace)}/restore`),

    inbox: () => send<{ data: InboxMail[] }>('GET', '/inbox.json'),
    health: () => send<Ready>('GET', '/v1/health/ready', undefined, { quiet: true }),
  }
}
