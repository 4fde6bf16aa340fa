// The same authenticated read beside what others offer for it: better-auth's sessions and keys, PocketBase's records.
import { type Load, requestsPerSecond } from './measure'
import { installPeers } from './peers'
import { startPocketBase } from './pocketbase'
import { newCredentials, startLatchkey, startProgram } from './servers'

const version = '1.7.5'

/** `atLeast`: how many times the other's requests a second. */
export type Compared = { what: string; peer: string; atLeast: number; ours: number[]; theirs: number[] }

export const measureAccess = async (rounds: number, seconds: number): Promise<Compared[]> => {
  await installPeers(`better-auth@${version}`, `@better-auth/api-key@${version}`)
  const stops: (() => Promise<void>)[] = []
  const started = async <S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> => {
    const server = await starting
    stops.push(server.stop)
    return server
  }
  try {
    const latchkey = await started(startLatchkey())
    const betterAuth = await started(startProgram('test/bench/access-better-auth.ts', {}))
    const pocketBase = await started(startPocketBase())
    const ours = await newCredentials(latchkey.url)
    const theirs = await (await fetch(`${betterAuth.url}/credentials`)).json()
    const [session, key]: Load[] = [ours.session, ours.key].map((headers) => ({
      url: `${latchkey.url}/api/whoami`,
      headers,
    })) as [Load, Load]
    const pairs: [Load, Load, Omit<Compared, 'ours' | 'theirs'>][] = [
      [
        session!,
        { url: `${betterAuth.url}/session`, headers: { cookie: theirs.cookie } },
        { what: 'session-authenticated GET', peer: `better-auth ${version} getSession`, atLeast: 20 },
      ],
      [
        key!,
        { url: `${betterAuth.url}/key`, headers: { 'x-api-key': theirs.key } },
        { what: 'key-authenticated GET', peer: `better-auth ${version} verifyApiKey`, atLeast: 40 },
      ],
      [key!, pocketBase.load, { what: 'key-authenticated GET', peer: 'PocketBase 0.22 record read', atLeast: 20 }],
    ]
    const measured: Compared[] = pairs.map(([, , row]) => ({ ...row, ours: [], theirs: [] }))
    for (const [mine, other] of pairs) for (const load of [mine, other]) await requestsPerSecond(load, 1)
    for (let round = 0; round < rounds; round++)
      for (const [i, [mine, other]] of pairs.entries()) {
        measured[i]!.ours.push(await requestsPerSecond(mine, seconds))
        measured[i]!.theirs.push(await requestsPerSecond(other, seconds))
      }
    return measured
  } finally {
    await Promise.all(stops.map((stop) => stop()))
  }
}
