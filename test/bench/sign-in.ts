// Sixteen people signing in at once, from asking for a code to a session: ours, and better-auth's e-mail OTP beside it.
import { installPeers } from './peers'
import { type Server, startProgram } from './servers'

const [people, betterAuth] = [16, '1.7.5']

type Flow = { url: string; steps(post: Post, codeOf: () => Promise<string>, email: string): Promise<void> }
// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent
type Post = (path: string, body: object) => Promise<any>

const signIn = async ({ url, steps }: Flow, email: string): Promise<void> => {
  const post: Post = async (path, body) => {
    const headers = { 'content-type': 'application/json', origin: url }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  const codeOf = async () => (await fetch(`${url}/code?email=${encodeURIComponent(email)}`)).text()
  await steps(post, codeOf, email)
}

const ofLatchkey = ({ url }: Server): Flow => ({
  url,
  steps: async (post, codeOf, email) => {
    const { challenge_id, binding } = await post('/api/auth/start', { email, transport: 'token' })
    const { token } = await post('/api/auth/verify', { challenge_id, binding, code: await codeOf() })
    if (!token) throw new Error('no session')
  },
})
const ofBetterAuth = ({ url }: Server): Flow => ({
  url,
  steps: async (post, codeOf, email) => {
    await post('/api/auth/email-otp/send-verification-otp', { email, type: 'sign-in' })
    const { token } = await post('/api/auth/sign-in/email-otp', { email, otp: await codeOf() })
    if (!token) throw new Error('no session')
  },
})

type Measured = { ours: number[]; theirs: number[]; peer: string }

/** Sign-ins a second of both, round by round, in turn; half of the people come for the first time. */
export const measureSignIn = async (rounds: number, turns: number): Promise<Measured> => {
  await installPeers(`better-auth@${betterAuth}`)
  const servers = await Promise.all([
    startProgram('test/bench/sign-in-latchkey.ts', { LATCHKEY_ENV: 'development', LATCHKEY_RATE_LIMITS: 'off' }),
    startProgram('test/bench/sign-in-better-auth.ts', {}),
  ])
  const [ours, theirs] = [ofLatchkey(servers[0]), ofBetterAuth(servers[1])]
  const rate = async (flow: Flow, round: number): Promise<number> => {
    const began = performance.now()
    for (let turn = 0; turn < turns; turn++) {
      const email = (i: number) => (i % 2 ? `known-${i}@example.com` : `new-${round}-${turn}-${i}@example.com`)
      await Promise.all(Array.from({ length: people }, (_, i) => signIn(flow, email(i))))
    }
    return (people * turns * 1000) / (performance.now() - began)
  }
  try {
    const measured = { ours: [] as number[], theirs: [] as number[] }
    for (const flow of [ours, theirs]) await rate(flow, -1)
    for (let round = 0; round < rounds; round++) {
      measured.ours.push(await rate(ours, round))
      measured.theirs.push(await rate(theirs, round))
    }
    return { ...measured, peer: `better-auth ${betterAuth}` }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}
