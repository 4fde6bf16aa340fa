// One call to S3: signed, within its time, asked again where that can help, its refusals as failures.
import { hash } from 'node:crypto'
import { Failure } from '../errors'
import type { S3Place } from '../lib/s3-place'
import { encodePath, encodeQuery, type SigningKeys, signV4 } from '../lib/sigv4'
import { rootOf, textOf } from '../lib/xml'
import type { Clock, Fetch, Log } from '../ports'

/** How long a call is borne with. Times in ms. */
export type Patience = {
  attempts: number
  /** Before the second attempt; doubled with each. */
  backoffMs: number
  /** For an answer to begin; a body is given longer, at this least pace. */
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
  /** How long this answer may take to begin, in ms, where that is longer than usual. */
  answerMs?: number
  attempts?: number
  signal?: AbortSignal
}

/** An answer whose body is still to come. `close` lets go of it. */
export type Opened = { status: number; headers: Headers; body: ReadableStream<Uint8Array> | null; close(): void }

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
  const says = { cause: new Error(`the bucket answered ${status} ${code}`.trim()) }
  if (status === 507 || noRoom.test(code)) return new Refused(new Failure('disk_full', undefined, says), false)
  if (absent.includes(code) || status === 416 || status === 412)
    return new Refused(new Failure('not_found', undefined, says), false)
  const passes = passing.includes(code) || status === 429 || (status >= 500 && status !== 501)
  return new Refused(new Failure('unavailable', undefined, says), passes)
}
// What a runtime says of a broken connection may name the address: its code or kind is enough.
const lost = (error: unknown): Failure => {
  const { code, name } = error as { code?: unknown; name?: unknown }
  const cause = new Error(`the bucket could not be reached (${typeof code === 'string' ? code : name})`)
  return new Failure('unavailable', undefined, { cause })
}

const defaults: Patience = { attempts: 5, backoffMs: 200, answerMs: 10_000, bytesPerMs: 256, giveUpMs: 30_000 }

export const createS3Calls = ({ place, keys, fetch, clock, log, patience = defaults }: S3Options) => {
  const requestOf = ({ method, key, query = {}, headers = {}, body }: S3Call) => {
    const url = new URL(place.origin)
    url.pathname = encodePath(place.root + (key === undefined ? '' : place.prefix + key))
    url.search = encodeQuery(query)
    const payload = hash('sha256', body ?? '')
    // Else what S3 was told to say of an object's coding would be undone on the way, and lengths be of something else.
    const asked = { ...headers, 'accept-encoding': 'identity' }
    return {
      url,
      method,
      headers: signV4({ method, url, headers: asked, payload }, keys, place.region, clock.now()),
      body,
    }
  }

  /** Asks once. The time runs until `take` has what it wants. */
  const once = async <T>(call: S3Call, take: (answer: Opened) => Promise<T>): Promise<T> => {
    const control = new AbortController()
    const close = () => control.abort(call.signal?.reason)
    const late = () => control.abort(new DOMException('no answer in time', 'TimeoutError'))
    const answerMs = (call.answerMs ?? patience.answerMs) + (call.body?.length ?? 0) / patience.bytesPerMs
    const timer = setTimeout(late, answerMs)
    call.signal?.addEventListener('abort', close)
    try {
      const { url, method, headers, body } = requestOf(call)
      const init = { method, headers, redirect: 'manual', signal: control.signal, ...(body && { body }) } as const
      const response = await fetch(url.href, init)
      if (!response.ok) throw refused(response.status, await response.text())
      return await take({ status: response.status, headers: response.headers, body: response.body, close })
    } finally {
      clearTimeout(timer)
      call.signal?.removeEventListener('abort', close)
    }
  }

  const again = async <T>(call: S3Call, take: (answer: Opened) => Promise<T>): Promise<T> => {
    const until = clock.monotonic() + patience.giveUpMs
    for (let left = call.attempts ?? patience.attempts, waitMs = patience.backoffMs; ; waitMs *= 2) {
      call.signal?.throwIfAborted()
      try {
        return await once(call, take)
      } catch (cause) {
        call.signal?.throwIfAborted()
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

  return {
    /** The answer once it has begun. @throws Failure `not_found`, `disk_full`, `unavailable`; what `signal` aborts with. */
    open: (call: S3Call): Promise<Opened> => again(call, async (answer) => answer),

    /** The answer's headers, once it has wholly come. @throws as `open` */
    send: (call: S3Call): Promise<Headers> =>
      again(call, async ({ headers, body }) => {
        await new Response(body).arrayBuffer()
        return headers
      }),

    /** The answer, which must be that element: S3 may say 200 and then tell of an error. @throws as `open` */
    ask: (call: S3Call, root: string): Promise<string> =>
      again(call, async ({ status, body }) => {
        const xml = await new Response(body).text()
        if (rootOf(xml) !== root) throw refused(status, xml)
        return xml
      }),
  }
}
export type S3Calls = ReturnType<typeof createS3Calls>
