// What every request passes before and after the app: host, origin, identity; then headers and the request line.
import { Failure } from '../errors'
import type { Clock, Log } from '../ports'
import type { Cors } from './cors'
import { Exchange, rememberExchange, type TakeTime } from './exchange'
import type { Identify } from './identify'
import type { OriginGuard } from './origin-guard'
import { problem, toFailure } from './problem'
import { createRequestIds } from './request-id'

type Handler = (request: Request) => Response | Promise<Response>
export type Intake = (
  request: Request,
  remote: () => string | null,
  takeTime?: TakeTime,
) => Response | Promise<Response>

const slowMs = 1000

type Parts = {
  app: Handler
  isOurHost: (request: Request) => boolean
  origins: OriginGuard
  cors: Cors
  identify: Identify
  clock: Clock
  log: Log
  /** What every answer says that does not say otherwise. */
  defaults: Headers
  /** Told of each refusal, and does not make it wait. */
  denied: (exchange: Exchange, status: number) => void
  /** Answered under any host, by exact target. */
  probes: Record<string, () => Response | Promise<Response>>
}

export const createIntake = (parts: Parts): Intake => {
  const { app, isOurHost, origins, cors, identify, clock, log, defaults, denied, probes } = parts
  const newId = createRequestIds()
  const eachDefault = [...defaults]

  /** Adds the headers that every answer has, where it was not made with them. */
  const dress = ({ requestId, contentLength }: Exchange, { headers }: Response): void => {
    headers.set('x-request-id', requestId)
    // Elysia counts a HEAD by reading the body that a GET would have, over any explicit route, and finds none here.
    if (contentLength === 'unknown') {
      headers.delete('content-length')
      headers.set('transfer-encoding', 'chunked')
    } else if (contentLength !== null) headers.set('content-length', String(contentLength))
    for (const [name, value] of eachDefault) if (!headers.has(name)) headers.set(name, value)
  }

  // The headers of an answer that is ready are not touched: asking for them makes an object of them.
  const finish = (exchange: Exchange, response: Response): Response => {
    const { request, requestId, route, workspace } = exchange
    const { status } = response
    if (!exchange.isDressed) dress(exchange, response)
    for (const cookie of exchange.setCookies) response.headers.append('set-cookie', cookie)
    if (exchange.rateLimit !== null && status !== 429)
      for (const [name, value] of Object.entries(exchange.rateLimit)) response.headers.set(name, value)
    if (exchange.page !== null) cors.share(exchange.page, response)
    if (isRefusal(exchange, status)) denied(exchange, status)
    const ms = clock.monotonic() - exchange.startedAt
    log.request(
      { at: clock.now(), requestId, method: request.method, route, status, ms, workspace },
      status >= 500 || ms > slowMs,
    )
    return response
  }

  const fail = (exchange: Exchange, error: unknown): Response => {
    const failure = toFailure(error, '')
    if (failure.code === 'internal')
      log.error({ request_id: exchange.requestId, error: failure.cause }, 'request failed')
    return finish(exchange, problem(failure, exchange.requestId))
  }

  const answer = (exchange: Exchange): Response | Promise<Response> => {
    const response = app(exchange.request)
    return response instanceof Promise
      ? response.then(
          (r) => finish(exchange, r),
          (error) => fail(exchange, error),
        )
      : finish(exchange, response)
  }

  return (request, remote, takeTime) => {
    const exchange = new Exchange(request, newId(), clock.monotonic(), remote, takeTime)
    try {
      if (!isOurHost(request)) {
        const probe = request.method === 'GET' ? probes[targetOf(request.url)] : undefined
        if (!probe) throw new Failure('misdirected')
        const response = probe()
        return response instanceof Promise ? response.then((r) => finish(exchange, r)) : finish(exchange, response)
      }
      if (exchange.page !== null) {
        origins.any(exchange.page, request)
        const preflight = cors.preflight(request)
        if (preflight) return finish(exchange, preflight)
      }
      rememberExchange(request, exchange)
      const identity = identify(request)
      if (!(identity instanceof Promise)) {
        exchange.identity = identity
        return answer(exchange)
      }
      return identity.then(
        (settled) => {
          exchange.identity = settled
          return answer(exchange)
        },
        (error) => fail(exchange, error),
      )
    } catch (error) {
      return fail(exchange, error)
    }
  }
}

/** Whoever is signed in and names a workspace or project that they may not enter is refused as if there were none. */
const isRefusal = ({ identity: { person, refusal } }: Exchange, status: number): boolean =>
  status === 401 || status === 403 || (status === 404 && person !== null && refusal === 'not_found')

/** What stands behind the host, query included. */
const targetOf = (url: string): string => url.slice(url.indexOf('/', url.indexOf('//') + 2))
