// Who is signed in here, as far as this page knows. The session itself is a cookie that no script can read.
import { batch, signal } from '@preact/signals'
import { createApi, type Me } from './api'
import { hasChosen, locale, setLocale } from './i18n'
import { paths } from './paths'
import { address, go, path, query, safePath } from './router'
import type { Problem } from './send'
import { confirmed, confirmItIsYou } from './step-up'
import type { Locale } from './strings/table'

/** `unknown` until the server has said; `failed` if it could not. */
export type Who = { is: 'unknown' } | { is: 'failed'; problem: Problem } | { is: 'nobody' } | { is: 'user'; me: Me }
export const who = signal<Who>({ is: 'unknown' })
/** Whether a session ended under the person's hands, so that sign-in can say why it is there. */
export const ended = signal(false)

const isSignIn = () => path.peek().startsWith(paths.signIn)
// Tabs of one browser share the cookie: what one does, the others notice.
const tabs = new BroadcastChannel('latchkey.session')

const leave = () => {
  // Several calls may hear of it; the first knows that somebody was signed in.
  if (who.peek().is === 'user') ended.value = true
  who.value = { is: 'nobody' }
}

/** The workspace that calls are about; `place.ts` sets it. */
export const workspaceId = signal<string | null>(null)

export const api = createApi((input, init) => fetch(input, init), {
  signedOut: leave,
  refused: () => void loadWho(),
  workspace: () => workspaceId.peek(),
  stepUp: confirmItIsYou,
})

/** Asks who is signed in. */
export const loadWho = async (): Promise<void> => {
  const answer = await api.me()
  if (answer.ok) {
    who.value = { is: 'user', me: answer.data }
    if (!hasChosen()) locale.value = answer.data.locale
  } else if (answer.problem.code !== 'unauthenticated' && who.peek().is !== 'user')
    who.value = { is: 'failed', problem: answer.problem }
}

/** The way to sign-in that comes back to where the person is. */
export const signInPath = (): string => {
  const from = address.peek()
  return from === paths.overview || isSignIn() ? paths.signIn : `${paths.signIn}?to=${encodeURIComponent(from)}`
}

/** The place to come back to once signed in, if one was kept. */
export const keptPlace = (): string | undefined => safePath(query.peek().get('to'))

/** After a code or link was accepted: learns who it is, which also leads on from the sign-in pages. */
export const entered = async (): Promise<void> => {
  ended.value = false
  await loadWho()
  tabs.postMessage('changed')
}

/** After this browser's own session was ended on purpose. */
export const left = (): void => {
  tabs.postMessage('changed')
  batch(() => {
    who.value = { is: 'nobody' }
    ended.value = false
    go(paths.signIn)
  })
}

/** Speaks `to` from now on, in mails too. */
export const chooseLocale = (to: Locale): void => {
  setLocale(to)
  if (who.peek().is === 'user') void api.updateMe({ locale: to })
}

tabs.onmessage = () => {
  // The link of the mail may have been opened in another tab.
  confirmed(true)
  void loadWho()
}
