// The code that this tab waits for. Kept for the tab, since phones drop a page while the person reads mail elsewhere.
import { effect, signal } from '@preact/signals'
import type { StartedChallenge } from './api'

export type Pending = { challengeId: string; email: string; resendAt: number }

const storageKey = 'latchkey.pending'

const kept = (): Pending | null => {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Pending | null
  } catch {
    return null
  }
}

export const pending = signal<Pending | null>(kept())

effect(() => {
  try {
    if (pending.value) sessionStorage.setItem(storageKey, JSON.stringify(pending.value))
    else sessionStorage.removeItem(storageKey)
  } catch {
    // Without storage it lasts as long as the page.
  }
})

/** Notes what the server answered to a start or a resend for `email`. */
export const awaitCode = (email: string, started: StartedChallenge): void => {
  pending.value = {
    challengeId: started.challenge_id,
    email,
    resendAt: Date.now() + started.resend_after_seconds * 1000,
  }
}
