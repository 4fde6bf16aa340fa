// What single parts cost: the limiter on a read, the audit row on a durable write.
import { keyStore } from '../../src/features/keys/store'
import { newId } from '../../src/lib/id'
import { newHouse } from '../house'
import { requestsPerSecond } from './measure'
import { installTools } from './peers'
import { once, type Scope } from './processes'
import { type Effort, type Lane, type Race, runRaces } from './race'
import { newCredentials, startLatchkey } from './servers'

const keyedRead =
  (scope: Scope, env: Record<string, string>): Lane =>
  async () => {
    const { url } = await scope.use(startLatchkey(env))
    const { key } = await newCredentials(url)
    return (seconds) => requestsPerSecond({ url: `${url}/api/whoami`, headers: key }, seconds)
  }

/** Writes a second, one after another, each by what `write` does. */
const writes =
  (open: () => Promise<() => Promise<unknown>>): Lane =>
  async () => {
    const write = await open()
    return async (seconds) => {
      const began = performance.now()
      let count = 0
      for (; performance.now() - began < seconds * 1000; count++) await write()
      return (count * 1000) / (performance.now() - began)
    }
  }

export const measureShares = async (effort: Effort, scope: Scope) => {
  await installTools('wrk')
  const house = once(async () => {
    const made = await newHouse()
    await scope.use({ stop: made.close })
    const { admin } = await made.newTenant()
    return { ...made, admin, change: () => keyStore(made.db).used(admin.workspace.id, newId('key'), 0) }
  })
  const audited = writes(async () => {
    const { write, admin, change } = await house()
    return () => write(admin, { action: 'key.updated', targets: [] }, [change()])
  })
  const unaudited = writes(async () => {
    const { unaudited, change } = await house()
    return () => unaudited('a benchmark', [change()])
  })
  const cost = (what: string, unit: string, ours: Lane, name: string, lane: Lane): Race => ({
    ...{ what, unit, ours },
    against: [{ name, lane, goal: { by: 'lost' } }],
  })
  const [counted, off] = [keyedRead(scope, {}), keyedRead(scope, { LATCHKEY_RATE_LIMITS: 'off' })]
  const races = [
    cost('what limits take of a read', 'req/s', counted, 'limits off', off),
    cost('what the audit row takes of a durable write', 'writes/s', audited, 'no audit', unaudited),
  ]
  return runRaces(races, { ...effort, seconds: Math.min(effort.seconds, 2) })
}
