// Sixteen people signing in at once, from asking for a code to a session: ours, and better-auth's e-mail OTP beside it.
import { installPeers } from './peers'
import type { Scope } from './processes'
import { type Effort, type Lane, runRaces } from './race'
import { startProgram } from './servers'

const [people, betterAuth] = [16, '1.7.5']

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent
type Post = (path: string, body: object) => Promise<any>
type Steps = (post: Post, codeOf: () => Promise<string>, email: string) => Promise<{ token?: string }>

/** Gives the token of the session. */
const signIn = async (url: string, steps: Steps, email: string): Promise<string> => {
  const post: Post = async (path, body) => {
    const headers = { 'content-type': 'application/json', origin: url }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  const codeOf = async () => (await fetch(`${url}/code?email=${encodeURIComponent(email)}`)).text()
  const { token } = await steps(post, codeOf, email)
  if (!token) throw new Error('no session')
  return token
}

const ofLatchkey: Steps = async (post, codeOf, email) => {
  const { challenge_id, binding } = await post('/api/auth/start', { email, transport: 'token' })
  return post('/api/auth/verify', { challenge_id, binding, code: await codeOf() })
}
const ofBetterAuth: Steps = async (post, codeOf, email) => {
  await post('/api/auth/email-otp/send-verification-otp', { email, type: 'sign-in' })
  return post('/api/auth/sign-in/email-otp', { email, otp: await codeOf() })
}

const program = 'test/bench/sign-in-latchkey.ts'
/** Latchkey that hands codes to whoever asks. */
export const startWithCodes = (env: Record<string, string> = {}) =>
  startProgram(program, { LATCHKEY_ENV: 'development', LATCHKEY_RATE_LIMITS: 'off', ...env })
export const signInTo = (url: string, email: string) => signIn(url, ofLatchkey, email)

/** Sign-ins a second; half of the people come for the first time. */
const laneOf =
  (open: () => Promise<{ url: string }>, steps: Steps): Lane =>
  async () => {
    const { url } = await open()
    let turn = 0
    return async (seconds) => {
      const [began, first] = [performance.now(), turn]
      while (performance.now() - began < seconds * 1000) {
        const email = (i: number) => (i % 2 ? `known-${i}@example.com` : `new-${turn}-${i}@example.com`)
        await Promise.all(Array.from({ length: people }, (_, i) => signIn(url, steps, email(i))))
        turn++
      }
      return (people * (turn - first) * 1000) / (performance.now() - began)
    }
  }

export const measureSignIn = (effort: Effort, scope: Scope) => {
  const ours = laneOf(() => scope.use(startWithCodes()), ofLatchkey)
  const theirs = laneOf(async () => {
    await installPeers(`better-auth@${betterAuth}`)
    return scope.use(startProgram('test/bench/sign-in-better-auth.ts', {}))
  }, ofBetterAuth)
  const name = `better-auth ${betterAuth} e-mail OTP`
  const against = [{ name, lane: theirs, goal: { by: 'times', atLeast: 2 } }] as const
  return runRaces([{ what: 'sign-in, 16 at once, floor 0', unit: 'sign-ins/s', ours, against }], effort)
}
