// Answers: what a handler gives, held to the schema of its status and sent as JSON. What no schema lists does not leave.
import { ElysiaCustomStatusResponse } from 'elysia'
import type { z } from 'zod'
import { Failure } from '../errors'
import { exactly } from '../lib/exact'
import { exchangeOf } from './exchange'

/** What every answer says that does not say otherwise. */
export const safeHeaders = (https: boolean): Headers =>
  new Headers({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    ...(https && { 'strict-transport-security': 'max-age=63072000; includeSubDomains' }),
  })

type Schemas = Readonly<Record<number, z.ZodType>>
type Hooks = { response?: Schemas; answers?: Schemas; mapResponse?: unknown; body?: unknown; parse?: unknown }
type Context = { request: Request; responseValue: unknown }

const unfit = (why: string) => new Failure('internal', undefined, { cause: new Error(why) })

/** What makes of a value what its schema lists. @throws Failure `internal` where it does not fit */
const newListing = (schema: z.ZodType) => {
  const isListed = exactly(schema)
  return (value: unknown): unknown => {
    if (isListed(value)) return value
    const held = schema.safeParse(value)
    if (!held.success) throw unfit('answer does not fit its schema')
    return held.data
  }
}
type Listings = ReadonlyMap<number, ReturnType<typeof newListing>>

/**
 * Elysia would check each answer in a promise, and set each header by itself. `takeAnswers` takes the schemas of a route
 * over; its answers are made at once where its handler does not wait, and their headers are copied as a whole.
 */
export const createAnswers = (defaults: Headers) => {
  const ofNothing = new Headers(defaults)
  const ofJson = new Headers(defaults)
  ofJson.set('content-type', 'application/json')

  const encode = (listings: Listings, request: Request, given: unknown): Response => {
    if (given instanceof Response) return given
    const [status, value] =
      given instanceof ElysiaCustomStatusResponse ? [given.code as number, given.response] : [200, given]
    const list = listings.get(status)
    if (!list && value !== undefined) throw unfit('answer without a schema')
    const listed = list?.(value)
    const exchange = exchangeOf(request)
    exchange.isDressed = true
    const headers = listed === undefined ? ofNothing : ofJson
    headers.set('x-request-id', exchange.requestId)
    return new Response(listed === undefined ? null : JSON.stringify(listed), { status, headers })
  }

  const encodeLate = (listings: Listings, request: Request, given: Promise<unknown>) =>
    given.then((value) => encode(listings, request, value))

  return (route: object): void => {
    const hooks = route as Hooks
    const schemas = hooks.response ?? {}
    delete hooks.response
    // Where no body is declared none is read, and nothing waits for one.
    if (hooks.body === undefined && hooks.parse !== 'none') delete hooks.parse
    hooks.answers = schemas
    const listings: Listings = new Map(Object.entries(schemas).map(([status, s]) => [Number(status), newListing(s)]))
    hooks.mapResponse = ({ request, responseValue }: Context) =>
      responseValue instanceof Promise
        ? encodeLate(listings, request, responseValue)
        : encode(listings, request, responseValue)
  }
}
