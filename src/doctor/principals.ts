// Everybody there is: nobody, each role, each key, and strangers. Made through the API, and removed through it.
import { levels } from '../permissions'
import { type Reply, type Send, type Sent, textOf } from './http'

const people = ['admin', 'member', 'viewer', 'guest', 'stranger', 'former'] as const
type PersonName = (typeof people)[number]

type Headers = Record<string, string>
export type Tools = {
  send: Send
  /** The server's public origin, which a browser would name. */
  origin: string
  /** A mailbox of that name which nobody uses: each gets an account, and loses it. */
  addressOf: (name: string) => string
  /** The newest code mailed to an address. */
  codeFor: (email: string) => Promise<string>
  wait: (ms: number) => Promise<void>
  now: () => number
  /** A mailbox that may run the instance, where one is at hand. */
  operator?: string
  /** Of a session of the admin that has come to its end, where one is at hand. */
  expiredSession?: Headers
  /** Whom it made, by address, each with a session of theirs: so that they go also when it stops halfway. */
  made: Map<string, Headers>
}

export type Person = {
  id: string
  email: string
  session: string
  headers: Headers
  workspace: string
  project: string
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

/** Redeems the code of a challenge. Another code to the same mailbox, for a step-up, may come first: then the next one. */
const redeem = async ({ send, codeFor }: Tools, email: string, started: Reply, headers: Headers = {}) => {
  const challenge = { challenge_id: textOf(started, 'challenge_id'), ...bindingOf(started) }
  for (let tries = 1; ; tries++) {
    const proof = { ...challenge, code: await codeFor(email) }
    const verified = await send('POST', '/api/auth/verify', { headers, body: proof })
    if (verified.body.code !== 'invalid_or_expired' || tries === 3) return verified
  }
}
const bindingOf = ({ body: { binding } }: Reply) => (typeof binding === 'string' ? { binding } : {})

const signIn = async (tools: Tools, email: string): Promise<Person> => {
  const { send, made } = tools
  const started = await send('POST', '/api/auth/start', { body: { email, transport: 'token' } })
  const verified = await redeem(tools, email, started)
  const headers = bearer(textOf(verified, 'token'))
  if (!made.has(email)) made.set(email, headers)
  const me = await send('GET', '/api/me', { headers })
  const own = (me.body.workspaces as { id: string; default_project_id: string }[])[0]
  return {
    ...{ id: textOf(me, 'id'), email, session: (verified.body.session as { id: string }).id, headers },
    ...{ workspace: own?.id ?? '', project: own?.default_project_id ?? '' },
  }
}

export type World = Awaited<ReturnType<typeof makeWorld>>

/**
 * One workspace with its people and keys, a second one, and in the first three projects: the default one, one that only
 * admins enter, and one where the member is a viewer.
 */
export const makeWorld = async (tools: Tools) => {
  const { send } = tools
  const as = async (name: string) => signIn(tools, tools.addressOf(name))
  const admin = await as('admin')
  const home = { 'x-workspace-id': admin.workspace }
  const asAdmin = { ...admin.headers, ...home }
  const call = (method: string, target: string, body?: unknown, headers: Headers = asAdmin): Promise<Reply> =>
    send(method, target, { headers, ...(body !== undefined && { body }) })

  const join = async (name: PersonName, role: string): Promise<Person> => {
    const id = textOf(await call('POST', '/api/invitations', { email: tools.addressOf(name), role }), 'id')
    const person = await as(name)
    textOf(await call('POST', `/api/invitations/${id}/accept`, undefined, person.headers), 'workspace_id')
    return person
  }
  const byName: Record<PersonName, Person> = {
    admin,
    member: await join('member', 'member'),
    viewer: await join('viewer', 'viewer'),
    // Is put in and out again, and asks for nothing.
    guest: await join('guest', 'member'),
    stranger: await as('stranger'),
    former: await join('former', 'member'),
  }
  await call('DELETE', `/api/members/${byName.former.id}`)
  const signedOut = await as('admin')
  await call('DELETE', `/api/sessions/${signedOut.session}`)
  const newProject = async (name: string) =>
    textOf(await call('POST', '/api/projects', { name, restricted: true }), 'id')
  const [restricted, lesser] = [await newProject('doctor restricted'), await newProject('doctor lesser')]
  const put = await call('PUT', `/api/projects/${lesser}/members/${byName.member.id}`, { role: 'viewer' })
  if (put.status !== 200) throw new Error(`${put.status}: a member could not be put into a project`)

  const newKey = async (input: Record<string, unknown>, headers = asAdmin) => {
    const made = await call('POST', '/api/keys', { name: 'doctor', ...input }, headers)
    return { id: textOf(made, 'id'), headers: bearer(textOf(made, 'token')) }
  }
  const keys: Record<string, Headers> = {}
  for (const level of levels) keys[`${level} key`] = (await newKey({ level })).headers
  keys['delete key of one project'] = (await newKey({ level: 'delete', projects: [admin.project] })).headers
  const expired = await newKey({ expires_at: new Date(tools.now() + 1500).toISOString() })
  const revoked = await newKey({})
  await call('DELETE', `/api/keys/${revoked.id}`)
  await tools.wait(1600)

  const { stranger } = byName
  const strangersKey = await newKey({}, { ...stranger.headers, 'x-workspace-id': stranger.workspace })
  const operator = tools.operator === undefined ? null : await signIn(tools, tools.operator)
  const headersOf: Record<string, Headers> = {
    nobody: {},
    'revoked key': revoked.headers,
    'expired key': expired.headers,
    'revoked session': { ...signedOut.headers, ...home },
    ...(tools.expiredSession && { 'expired session': { ...tools.expiredSession, ...home } }),
    'removed member': { ...byName.former.headers, ...home },
    ...Object.fromEntries(people.slice(0, 3).map((name) => [name, { ...byName[name].headers, ...home }])),
    ...keys,
    'other workspace': { ...stranger.headers, 'x-workspace-id': stranger.workspace },
    'other workspace, naming ours': { ...stranger.headers, ...home },
    'key of another workspace': strangersKey.headers,
    ...(operator && { operator: operator.headers }),
  }
  return {
    ...{ tools, send, call, asAdmin, people: byName, headersOf, workspace: admin.workspace, newKey },
    projects: { default: admin.project, restricted, lesser },
    /** One more session of the admin, to be ended. */
    spare: () => as('admin'),
    /** Signs the admin in as a browser does, which makes it a known device. */
    browse: async () => {
      const headers = { origin: tools.origin }
      const started = await send('POST', '/api/auth/start', { headers, body: { email: admin.email } })
      await redeem(tools, admin.email, started, { ...headers, cookie: started.cookie })
    },
    /** The same request as somebody else. */
    sendAs: (who: string, method: string, target: string, { headers, ...sent }: Sent) =>
      send(method, target, { ...sent, headers: { ...headers, ...headersOf[who] } }),
  }
}

/** Takes everybody away again, what is theirs alone with them; an operator only leaves. Each answer should be a 204. */
export const removeWorld = async ({ send, made, operator }: Tools): Promise<number[]> => {
  const answers: number[] = []
  // The admin was first, and may go once nobody is left who would be without one.
  for (const [email, headers] of [...made].reverse()) {
    const [method, target] = email === operator ? ['POST', '/api/auth/sign-out'] : ['DELETE', '/api/me']
    answers.push((await send(method!, target!, { headers })).status)
  }
  return answers
}
