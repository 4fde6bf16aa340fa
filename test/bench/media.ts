// Media that is checked at each request, beside nginx that checks nothing, and beside PocketBase's protected file.
import { settings } from '../../src/config/settings'
import { newCaller } from '../story'
import { mebibytesPerSecond, requestsPerSecond } from './measure'
import { startNginx } from './nginx'
import { installTools } from './peers'
import { startPocketBase } from './pocketbase'
import { once, type Scope } from './processes'
import { type Effort, type Race, runRaces } from './race'
import { laneOf } from './reads'
import { newCredentials, startLatchkey } from './servers'

/** Bytes that do not compress. */
const bytesOf = (size: number) => {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}
const [small, large] = [64 * 1024, 64 * 1024 * 1024]
const nginx = 'nginx, one worker, no check'

/** Uploads with a key, and is then read with it. */
export const newFile = async (url: string, bytes: Uint8Array<ArrayBuffer>, key: Record<string, string>) => {
  const made = await newCaller(url).call('POST', '/api/media', 201, {
    headers: { ...key, 'content-type': 'application/octet-stream', 'x-file-name': 'bench.bin' },
    body: bytes,
  })
  return { url: url + made.url, headers: key }
}

const contestantsIn = (scope: Scope, size: number, env: Record<string, string> = {}) => {
  const bytes = once(async () => bytesOf(size))
  const measure = size === small ? requestsPerSecond : mebibytesPerSecond
  return {
    ours: laneOf(async () => {
      const { url } = await scope.use(startLatchkey(env))
      return newFile(url, await bytes(), (await newCredentials(url)).key)
    }, measure),
    nginx: laneOf(async () => {
      const { url } = await scope.use(startNginx({ file: await bytes() }))
      return { url: `${url}/file`, headers: {} }
    }, measure),
    pocketBase: laneOf(async () => (await scope.use(startPocketBase(await bytes()))).file, measure),
  }
}

const race = async (race: Race, effort: Effort) => {
  await installTools('wrk')
  return runRaces([race], effort)
}

export const measureSmallMedia = (effort: Effort, scope: Scope) => {
  const { ours, ...theirs } = contestantsIn(scope, small)
  const against: Race['against'] = [
    { name: nginx, lane: theirs.nginx, goal: { by: 'share', atLeast: 60 } },
    { name: 'PocketBase 0.22 protected file', lane: theirs.pocketBase, goal: { by: 'times', atLeast: 5 } },
  ]
  return race({ what: 'file of 64 KiB', unit: 'req/s', ours, against }, effort)
}

const measureLarge = (what: string, atLeast: number, env: Record<string, string>, effort: Effort, scope: Scope) => {
  const { ours, ...theirs } = contestantsIn(scope, large, env)
  const against: Race['against'] = [{ name: nginx, lane: theirs.nginx, goal: { by: 'share', atLeast } }]
  return race({ what, unit: 'MiB/s', ours, against }, effort)
}

export const measureLargeMedia = (effort: Effort, scope: Scope) => measureLarge('file of 64 MiB', 80, {}, effort, scope)

/** Nothing where there is no such setting. */
export const measureEncryptedMedia = async (effort: Effort, scope: Scope) =>
  'LATCHKEY_MEDIA_ENCRYPTION' in settings
    ? measureLarge('file of 64 MiB, encrypted at rest', 50, { LATCHKEY_MEDIA_ENCRYPTION: 'on' }, effort, scope)
    : []
