// The authenticated read beside a bare route, and beside what others offer for it: better-auth's sessions and keys,
// PocketBase's records.
import { newCaller } from '../story'
import { type Load, requestsPerProcessorSecond, requestsPerSecond } from './measure'
import { installPeers, installTools } from './peers'
import { startPocketBase } from './pocketbase'
import { once, type Scope } from './processes'
import { type Effort, type Lane, type Race, runRaces } from './race'
import { newCredentials, startBare, startLatchkey, startProgram } from './servers'

const version = '1.7.5'
const pocketBase = 'PocketBase 0.22 record read'

/** A lane of what wrk gets of a load. */
export const laneOf =
  <L extends Load>(
    load: () => Promise<L>,
    measure: (ready: L, seconds: number) => Promise<number> = requestsPerSecond,
  ): Lane =>
  async () => {
    const ready = await load()
    return (seconds) => measure(ready, seconds)
  }

const contestantsIn = (scope: Scope) => {
  const latchkey = once(async () => {
    const { url, pid } = await scope.use(startLatchkey())
    return { url, pid, credentials: await newCredentials(url) }
  })
  const betterAuth = once(async () => {
    await installPeers(`better-auth@${version}`, `@better-auth/api-key@${version}`)
    const { url } = await scope.use(startProgram('test/bench/access-better-auth.ts', {}))
    const credentials = await (await fetch(`${url}/credentials`)).json()
    return { url, ...credentials } as Record<'url' | 'cookie' | 'counted' | 'uncounted', string>
  })
  const getSession = (path: string) =>
    laneOf(async () => {
      const { url, cookie } = await betterAuth()
      return { url: url + path, headers: { cookie, 'x-forwarded-for': '203.0.113.1' } }
    })
  const verifyApiKey = (key: 'counted' | 'uncounted') =>
    laneOf(async () => {
      const them = await betterAuth()
      return { url: `${them.url}/key`, headers: { 'x-api-key': them[key] } }
    })
  const whoami = (as: 'session' | 'key') => async () => {
    const { url, pid, credentials } = await latchkey()
    return { url: `${url}/api/whoami`, headers: credentials[as], pid }
  }
  const records = once(() => scope.use(startPocketBase()))
  const record = async () => (await records()).record
  return {
    session: laneOf(whoami('session')),
    key: laneOf(whoami('key')),
    keyByProcessor: laneOf(whoami('key'), requestsPerProcessorSecond),
    bare: laneOf(async () => {
      const { url, credentials } = await latchkey()
      const answer = await newCaller(url).call('GET', '/api/whoami', 200, { headers: credentials.session })
      return { url: (await scope.use(startBare(JSON.stringify(answer)))).url, headers: {} }
    }),
    getSession: getSession('/api/auth/get-session'),
    getSessionCalled: getSession('/session'),
    verifyApiKey: verifyApiKey('counted'),
    verifyApiKeyUncounted: verifyApiKey('uncounted'),
    record: laneOf(record),
    recordByProcessor: laneOf(record, requestsPerProcessorSecond),
  }
}

/** The read with a session or with a key. */
export const measureReads = async (as: 'session' | 'key', effort: Effort, scope: Scope) => {
  await installTools('wrk')
  const lanes = contestantsIn(scope)
  const bare = { name: 'bare Elysia route', lane: lanes.bare, goal: { by: 'share', atLeast: 60 } } as const
  const betterAuth = `better-auth ${version}`
  const against: Record<typeof as, Race['against']> = {
    session: [
      bare,
      { name: `${betterAuth} getSession`, lane: lanes.getSession, goal: { by: 'times', atLeast: 20 } },
      { name: `${betterAuth} getSession, called in its process`, lane: lanes.getSessionCalled, goal: { by: 'times' } },
    ],
    key: [
      bare,
      { name: `${betterAuth} verifyApiKey`, lane: lanes.verifyApiKey, goal: { by: 'times', atLeast: 40 } },
      { name: `${betterAuth} verifyApiKey, limits off`, lane: lanes.verifyApiKeyUncounted, goal: { by: 'times' } },
      { name: pocketBase, lane: lanes.record, goal: { by: 'times', atLeast: 20 } },
    ],
  }
  const what = `GET with a ${as}`
  // PocketBase takes all processors there are, and we one.
  const each: Race = {
    ...{ what: `${what}, for each second of processor`, unit: 'req', ours: lanes.keyByProcessor },
    against: [{ name: pocketBase, lane: lanes.recordByProcessor, goal: { by: 'times', atLeast: 20 } }],
  }
  const races: Race[] = [{ what, unit: 'req/s', ours: lanes[as], against: against[as] }]
  return runRaces(as === 'key' ? [...races, each] : races, effort)
}
