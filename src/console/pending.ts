// The code that this tab waits for. Kept for the tab, since phones drop a page while the person reads mail elsewhere.
import { effect, signal } from '@preact/signals'
import type { StartedChallenge } from './api'
import { keptForTab } from './storage'

export type Pending = { challengeId: string; email: string; resendAt: number }

const storageKey = 'latchkey.pending'

export const pending = signal<Pending | null>(JSON.parse(keptForTab.read(storageKey) ?? 'null'))

effect(() => keptForTab.write(storageKey, pending.value && JSON.stringify(pending.value)))

/** Notes what the server answered to a start or a resend for `email`. */
export const awaitCode = (email: string, started: StartedChallenge): void => {
  pending.value = {
    challengeId: started.challenge_id,
    email,
    resendAt: Date.now() + started.resend_after_seconds * 1000,
  }
}
