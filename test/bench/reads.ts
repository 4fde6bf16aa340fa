// The authenticated read beside a bare route, and beside what others offer for it: better-auth's sessions and keys,
// PocketBase's records.
import { newCaller } from '../story'
import { type Load, requestsPerSecond } from './measure'
import { installPeers, installTools } from './peers'
import { startPocketBase } from './pocketbase'
import { once, type Scope } from './processes'
import { type Effort, type Lane, type Race, runRaces } from './race'
import { newCredentials, startBare, startLatchkey, startProgram } from './servers'

const version = '1.7.5'

/** A lane of what wrk gets of a load. */
export const laneOf =
  (load: () => Promise<Load>, measure = requestsPerSecond): Lane =>
  async () => {
    const ready = await load()
    return (seconds) => measure(ready, seconds)
  }

const contestantsIn = (scope: Scope) => {
  const latchkey = once(async () => {
    const { url } = await scope.use(startLatchkey())
    return { url, credentials: await newCredentials(url) }
  })
  const betterAuth = once(async () => {
    await installPeers(`better-auth@${version}`, `@better-auth/api-key@${version}`)
    const { url } = await scope.use(startProgram('test/bench/access-better-auth.ts', {}))
    return { url, ...(await (await fetch(`${url}/credentials`)).json()) } as {
      url: string
      cookie: string
      key: string
    }
  })
  const whoami = (as: 'session' | 'key') =>
    laneOf(async () => {
      const { url, credentials } = await latchkey()
      return { url: `${url}/api/whoami`, headers: credentials[as] }
    })
  return {
    session: whoami('session'),
    key: whoami('key'),
    bare: laneOf(async () => {
      const { url, credentials } = await latchkey()
      const answer = await newCaller(url).call('GET', '/api/whoami', 200, { headers: credentials.session })
      return { url: (await scope.use(startBare(JSON.stringify(answer)))).url, headers: {} }
    }),
    getSession: laneOf(async () => {
      const { url, cookie } = await betterAuth()
      return { url: `${url}/session`, headers: { cookie } }
    }),
    verifyApiKey: laneOf(async () => {
      const { url, key } = await betterAuth()
      return { url: `${url}/key`, headers: { 'x-api-key': key } }
    }),
    record: laneOf(async () => (await scope.use(startPocketBase())).record),
  }
}

/** The read with a session or with a key. */
export const measureReads = async (as: 'session' | 'key', effort: Effort, scope: Scope) => {
  await installTools('wrk')
  const lanes = contestantsIn(scope)
  const bare = { name: 'bare Elysia route', lane: lanes.bare, goal: { by: 'share', atLeast: 60 } } as const
  const against: Record<typeof as, Race['against']> = {
    session: [
      bare,
      { name: `better-auth ${version} getSession`, lane: lanes.getSession, goal: { by: 'times', atLeast: 20 } },
    ],
    key: [
      bare,
      { name: `better-auth ${version} verifyApiKey`, lane: lanes.verifyApiKey, goal: { by: 'times', atLeast: 40 } },
      { name: 'PocketBase 0.22 record read', lane: lanes.record, goal: { by: 'times', atLeast: 20 } },
    ],
  }
  const what = `GET with a ${as}`
  return runRaces([{ what, unit: 'req/s', ours: lanes[as], against: against[as] }], effort)
}
