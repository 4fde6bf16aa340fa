// One call to S3: signed, within its time, asked again where that can help, its refusals as failures.
import { hash } from 'node:crypto'
import { Failure } from '../errors'
import type { S3Place } from '../lib/s3-place'
import { encodePath, encodeQuery, type SigningKeys, signV4 } from '../lib/sigv4'
import { rootOf, textOf } from '../lib/xml'
import type { Clock, Fetch, Log } from '../ports'

/** How long a call may take. Times in ms. */
type Patience = {
  attempts: number
  /** Before the second attempt; doubled with each. */
  backoffMs: number
  /** For an answer; a body, in or out, is given longer, at no less than this pace. */
  answerMs: number
  bytesPerMs: number
  /** No attempt begins later than that after the first. */
  giveUpMs: number
}

export type S3Options = {
  place: S3Place
  keys: SigningKeys
  fetch: Fetch
  clock: Clock
  /** Told why a call failed, unless what it asked for is not there. */
  log?: Log
  patience?: Patience
}

export type S3Call = {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Under the prefix of the place; none is the bucket itself. */
  key?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Uint8Array<ArrayBuffer>
  /** The most that may come, where there is a most. */
  comes?: number
  /** How long this answer may take, in ms, where that is longer than usual. */
  answerMs?: number
  attempts?: number
}

export type S3Answer = { status: number; headers: Headers; bytes: Uint8Array<ArrayBuffer> }

const noRoom = /^(XMinioStorageFull|InsufficientStorage|InsufficientCapacity|.*QuotaExceeded.*)$/
const absent = ['NoSuchKey', 'NoSuchUpload', 'InvalidRange', 'PreconditionFailed']
const passing = ['InternalError', 'RequestTimeout', 'SlowDown', 'ServiceUnavailable', 'Throttling', 'OperationAborted']

class Refused extends Error {
  constructor(
    readonly failure: Failure,
    /** Whether asking again may help. */
    readonly passes: boolean,
  ) {
    super(failure.message)
  }
}
/** What the bucket said: for the log a status and a code of S3, and no word of the request. */
const refused = (status: number, xml: string): Refused => {
  const code = /^[A-Za-z0-9]{1,64}$/.exec(rootOf(xml) === 'Error' ? textOf(xml, 'Code') : '')?.[0] ?? ''
  const what = code || (status < 300 ? 'as S3 does not' : '')
  const says = { cause: new Error(`the bucket answered ${status} ${what}`.trim()) }
  if (status === 507 || noRoom.test(code)) return new Refused(new Failure('disk_full', undefined, says), false)
  if (absent.includes(code) || status === 416 || status === 412)
    return new Refused(new Failure('not_found', undefined, says), false)
  const passes = passing.includes(code) || status === 429 || (status >= 500 && status !== 501)
  return new Refused(new Failure('unavailable', undefined, says), passes)
}
// What a runtime says of a broken connection may name the address: its code or kind is enough.
const lost = (error: unknown): Failure => {
  const { code, name } = error as { code?: unknown; name?: unknown }
  const cause = new Error(`the bucket could not be reached, or broke off (${typeof code === 'string' ? code : name})`)
  return new Failure('unavailable', undefined, { cause })
}

const defaults: Patience = { attempts: 5, backoffMs: 200, answerMs: 10_000, bytesPerMs: 256, giveUpMs: 30_000 }

export const createS3Calls = ({ place, keys, fetch, clock, log, patience = defaults }: S3Options) => {
  const requestOf = ({ method, key, query = {}, headers = {}, body }: S3Call) => {
    const url = new URL(place.origin)
    url.pathname = encodePath(place.root + (key === undefined ? '' : place.prefix + key))
    url.search = encodeQuery(query)
    const payload = hash('sha256', body ?? '')
    // Else a coding that S3 names for an object would be undone on the way, and lengths would be of something else.
    const asked = { ...headers, 'accept-encoding': 'identity' }
    return {
      url,
      method,
      headers: signV4({ method, url, headers: asked, payload }, keys, place.region, clock.now()),
      body,
    }
  }

  const once = async (call: S3Call): Promise<S3Answer> => {
    const { url, method, headers, body } = requestOf(call)
    const bytes = (body?.length ?? 0) + (call.comes ?? 0)
    const signal = AbortSignal.timeout((call.answerMs ?? patience.answerMs) + bytes / patience.bytesPerMs)
    const init = { method, headers, redirect: 'manual', signal, ...(body && { body }) } as const
    const response = await fetch(url.href, init)
    if (!response.ok) throw refused(response.status, await response.text())
    // A store that knows no ranges would send all there is.
    if (call.comes !== undefined && Number(response.headers.get('content-length')) > call.comes) {
      await response.body?.cancel()
      throw refused(response.status, '')
    }
    return { status: response.status, headers: response.headers, bytes: await response.bytes() }
  }

  /**
   * What `read` makes of the answer, once all of it has come; where it throws, the call is made again, too.
   * @throws Failure `not_found`, `disk_full`, `unavailable`
   */
  const send = async <T>(call: S3Call, read: (answer: S3Answer) => T): Promise<T> => {
    const until = clock.monotonic() + patience.giveUpMs
    for (let left = call.attempts ?? patience.attempts, waitMs = patience.backoffMs; ; waitMs *= 2) {
      try {
        return read(await once(call))
      } catch (cause) {
        const { failure, passes } = cause instanceof Refused ? cause : { failure: lost(cause), passes: true }
        if (!passes || --left <= 0 || clock.monotonic() > until) {
          const reason = (failure.cause as Error).message
          if (failure.code !== 'not_found') log?.warn({ method: call.method, reason }, 'storage failed')
          throw failure
        }
        await clock.sleep(waitMs * (0.5 + Math.random()))
      }
    }
  }

  /** The answer, which must be that element: S3 may say 200 and then tell of an error. @throws as `send` */
  const ask = (call: S3Call, root: string): Promise<string> =>
    send(call, ({ status, bytes }) => {
      const xml = new TextDecoder().decode(bytes)
      if (rootOf(xml) !== root) throw refused(status, xml)
      return xml
    })

  return { send, ask }
}
