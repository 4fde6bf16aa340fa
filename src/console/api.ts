// The way to the public API: JSON by fetch, with the session cookie. Gives an answer or a problem, never an exception.
import type { ErrorCode } from '../errors'
import type { Me, UpdateMe } from '../features/account/model'
import type { SignedIn, StartedChallenge } from '../features/auth/model'
import type { InboxMail } from '../features/inbox/model'
import type { Session } from '../features/sessions/model'
import type { Page } from '../lib/page'

export type Problem = { code: ErrorCode | 'offline'; retryAfterSeconds?: number }
export type Answer<T> = { ok: true; data: T } | { ok: false; problem: Problem }
export type { InboxMail, Me, Session, StartedChallenge }

type Fetch = (input: string, init: RequestInit) => Promise<Response>

const problemOf = async (response: Response): Promise<Problem> => {
  const body = (await response.json().catch(() => ({}))) as { code?: ErrorCode }
  const seconds = Number(response.headers.get('retry-after'))
  const code = body.code ?? (response.status === 503 || response.status === 502 ? 'unavailable' : 'internal')
  return seconds > 0 ? { code, retryAfterSeconds: seconds } : { code }
}

/** `onSignedOut` is told of every 401: the session is over, whoever ended it. */
export const createApi = (fetch: Fetch, onSignedOut: () => void) => {
  const send = async <T>(method: string, path: string, body?: object): Promise<Answer<T>> => {
    const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    try {
      const response = await fetch(path, { method, credentials: 'same-origin', cache: 'no-store', ...json })
      if (response.status === 401) onSignedOut()
      if (!response.ok) return { ok: false, problem: await problemOf(response) }
      return { ok: true, data: (response.status === 204 ? undefined : await response.json()) as T }
    } catch {
      return { ok: false, problem: { code: 'offline' } }
    }
  }

  return {
    start: (email: string, locale: string, redirect: string | undefined) =>
      send<StartedChallenge>('POST', '/api/auth/start', { email, locale, redirect }),
    resend: (challenge_id: string) => send<StartedChallenge>('POST', '/api/auth/resend', { challenge_id }),
    verify: (challenge_id: string, code: string) => send<SignedIn>('POST', '/api/auth/verify', { challenge_id, code }),
    openLink: (challenge_id: string, secret: string) =>
      send<SignedIn>('POST', '/api/auth/link', { challenge_id, secret }),
    signOut: () => send('POST', '/api/auth/sign-out'),
    me: () => send<Me>('GET', '/api/me'),
    updateMe: (change: UpdateMe) => send<Me>('PATCH', '/api/me', change),
    inbox: () => send<{ data: InboxMail[] }>('GET', '/inbox.json'),
    sessions: () => send<Page<Session>>('GET', '/api/sessions'),
    endSession: (id: string) => send('DELETE', `/api/sessions/${encodeURIComponent(id)}`),
    endSessions: (which: 'others' | 'all') => send('POST', '/api/sessions/revoke', { which }),
  }
}
