// The first request of what is not in a cache yet, and what it takes longer where there are a million of everything.
import { newCaller } from '../story'
import { growHouse, type House, newBenchHouse } from './house'
import { summarize } from './lines'
import { installTools } from './peers'
import { once, type Scope } from './processes'
import { type Effort, type Lane, type Race, runRaces } from './race'
import { laneOf } from './reads'
import { startBare, startLatchkey } from './servers'

/** First requests of each kind in one measurement. */
const atOnce = 60
/** As many as all rounds and the one before them take. */
const needed = ({ rounds }: Effort) => atOnce * (rounds + 1)

type Load = { url: string; headers: Record<string, string> }

/** The median of `atOnce` requests one after another, in ms; each load is requested once. */
const firstsOf =
  (open: () => Promise<readonly Load[]>): Lane =>
  async () => {
    const loads = await open()
    let next = 0
    return async () => {
      const times: number[] = []
      for (const { url, headers } of loads.slice(next, next + atOnce)) {
        const began = performance.now()
        const response = await fetch(url, { headers })
        await response.arrayBuffer()
        times.push(performance.now() - began)
        if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`)
      }
      next += atOnce
      return summarize(times).median
    }
  }

const lanesOf = (scope: Scope, house: () => Promise<House>) => {
  const server = once(async () => {
    const known = await house()
    const { url } = await scope.use(startLatchkey({ LATCHKEY_DATA_DIR: known.folder }))
    return { ...known, url, whoami: `${url}/api/whoami` }
  })
  const admin = (path: string) =>
    laneOf(async () => {
      const { url, admin } = await server()
      return { url: url + path, headers: admin }
    })
  return {
    first: {
      session: firstsOf(async () => {
        const { whoami, sessions } = await server()
        return sessions.map((headers) => ({ url: whoami, headers }))
      }),
      key: firstsOf(async () => {
        const { whoami, keys } = await server()
        return keys.map((headers) => ({ url: whoami, headers }))
      }),
      file: firstsOf(async () => {
        const { url, admin, files } = await server()
        return files.map((path) => ({ url: url + path, headers: admin }))
      }),
    },
    again: {
      session: admin('/api/whoami'),
      key: laneOf(async () => ({ url: (await server()).whoami, headers: (await server()).keys[0]! })),
      file: laneOf(async () => {
        const { url, admin, files } = await server()
        return { url: url + files[0], headers: admin }
      }),
      files: admin('/api/media?limit=20'),
      audit: admin('/api/audit?limit=20'),
    },
    server,
  }
}

/** Against a bare route asked in the same way. */
export const measureFirst = async (effort: Effort, scope: Scope) => {
  const { first, server } = lanesOf(scope, () => newBenchHouse(scope, needed(effort)))
  const bare = firstsOf(async () => {
    const { url, admin } = await server()
    const answer = await newCaller(url).call('GET', '/api/whoami', 200, { headers: admin })
    const load = { url: (await scope.use(startBare(JSON.stringify(answer)))).url, headers: admin }
    return Array.from({ length: needed(effort) }, () => load)
  })
  const against: Race['against'] = [{ name: 'bare Elysia route', lane: bare, goal: { by: 'added', atMost: 1 } }]
  const race = (of: string, ours: Lane): Race => ({ what: `first request of a ${of}, p50`, unit: 'ms', ours, against })
  return runRaces([race('session', first.session), race('key', first.key)], effort)
}

/** The same requests with `many` of everything against a thousand. */
export const measureGrowth = async (many: number, effort: Effort, scope: Scope) => {
  await installTools('wrk')
  const house = once(() => newBenchHouse(scope, needed(effort)))
  const [few, lots] = [1000, many].map((rows) => lanesOf(scope, async () => growHouse(scope, await house(), rows)))
  const [more, name] = [many === 1_000_000 ? '10⁶' : '10⁵', 'with 10³ of each']
  const grown = (what: string, unit: string, by: 'longer' | 'slower', ours: Lane, lane: Lane): Race => ({
    ...{ what: `${what}, ${more} of each`, unit, ours },
    against: [{ name, lane, goal: { by, atMost: 1.3 } }],
  })
  const again = (of: keyof (typeof lots & object)['again'], what: string) =>
    grown(what, 'req/s', 'slower', lots!.again[of], few!.again[of])
  const first = (of: keyof (typeof lots & object)['first'], what: string) =>
    grown(`first ${what}, p50`, 'ms', 'longer', lots!.first[of], few!.first[of])
  const races = [
    again('session', 'GET with a session'),
    again('key', 'GET with a key'),
    again('file', 'GET of a file'),
    again('files', 'list of files'),
    again('audit', 'list of audit rows'),
    first('session', 'GET with a session'),
    first('key', 'GET with a key'),
    first('file', 'GET of a file'),
  ]
  return runRaces(races, { ...effort, seconds: Math.min(effort.seconds, 2) })
}
