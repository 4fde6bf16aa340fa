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

/**
 * What tells of a value, as JSON, what its schema lists; undefined of none. A frozen one is told once, and again as it was.
 * @throws Failure `internal` where it does not fit
 */
const newTelling = (schema: z.ZodType) => {
  const isListed = exactly(schema)
  const told = new WeakMap<object, string>()
  const tell = (value: unknown): string | undefined => {
    if (isListed(value)) return JSON.stringify(value)
    const held = schema.safeParse(value)
    if (!held.success) throw unfit('answer does not fit its schema')
    return JSON.stringify(held.data)
  }
  return (value: unknown): string | undefined => {
    if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return tell(value)
    const text = told.get(value) ?? tell(value)
    if (text !== undefined) told.set(value, text)
    return text
  }
}
type Tellings = ReadonlyMap<number, ReturnType<typeof newTelling>>

/**
 * Elysia would check each answer in a promise, and set each header by itself. `takeAnswers` takes the schemas of a route
 * over; its answers are made at once where its handler does not wait, and their headers are copied as a whole.
 */
export const createAnswers = (defaults: Headers) => {
  const ofNothing = new Headers(defaults)
  const ofJson = new Headers(defaults)
  ofJson.set('content-type', 'application/json')

  const encode = (tellings: Tellings, request: Request, given: unknown): Response => {
    if (given instanceof Response) return given
    const isStatus = given instanceof ElysiaCustomStatusResponse
    const status: number = isStatus ? given.code : 200
    const value: unknown = isStatus ? given.response : given
    const tell = tellings.get(status)
    if (!tell && value !== undefined) throw unfit('answer without a schema')
    const text = tell?.(value)
    const exchange = exchangeOf(request)
    exchange.isDressed = true
    const headers = text === undefined ? ofNothing : ofJson
    headers.set('x-request-id', exchange.requestId)
    return new Response(text ?? null, { status, headers })
  }

  const encodeLate = (tellings: Tellings, request: Request, given: Promise<unknown>) =>
    given.then((value) => encode(tellings, request, value))

  return (route: object): void => {
    const hooks = route as Hooks
    const schemas = hooks.response ?? {}
    delete hooks.response
    // Where no body is declared none is read, and nothing waits for one.
    if (hooks.body === undefined && hooks.parse !== 'none') delete hooks.parse
    hooks.answers = schemas
    const tellings: Tellings = new Map(Object.entries(schemas).map(([status, s]) => [Number(status), newTelling(s)]))
    hooks.mapResponse = ({ request, responseValue }: Context) =>
      responseValue instanceof Promise
        ? encodeLate(tellings, request, responseValue)
        : encode(tellings, request, responseValue)
  }
}
