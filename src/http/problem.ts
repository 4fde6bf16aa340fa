// Failures as RFC 9457 problem+json: the only place where an error becomes an answer. Says what is wrong, echoes nothing.
import { ValidationError } from 'elysia'
import { errors, Failure } from '../errors'
import type { Log } from '../ports'
import type { Route } from './access'
import { findExchange } from './exchange'

/** A failure as its HTTP answer. `detail` and `extra` are ours, never the caller's words. */
export const problem = (failure: Failure, requestId: string): Response => {
  const { status, title } = errors[failure.code]
  const document = {
    type: `urn:latchkey:problem:${failure.code}`,
    title,
    status,
    code: failure.code,
    ...(failure.detail !== undefined && { detail: failure.detail }),
    ...failure.extra,
    request_id: requestId,
  }
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer realm="latchkey"' } : {}
  return new Response(JSON.stringify(document), {
    status,
    headers: { 'content-type': 'application/problem+json', ...challenge, ...failure.headers },
  })
}

type Issue = Readonly<{ code?: string; message: string; path?: readonly PropertyKey[] }>
type Standard = { '~standard': { validate(value: unknown): { issues?: readonly Issue[] } } }

/** Elysia keeps the schema and the value, and folds the issues into a text that repeats the value: ask the schema again. */
const issuesOf = (error: ValidationError): readonly Issue[] => {
  const validator = error.validator as unknown as Standard | { schema: Standard }
  const schema = '~standard' in validator ? validator : validator.schema
  return schema['~standard'].validate(error.value).issues ?? []
}

/** zod's issues as places and reasons. Keys that we do not know are not repeated. */
export const invalidInput = (issues: readonly Issue[], where: string): Failure => {
  if (issues.some((i) => i.code === 'unrecognized_keys'))
    return new Failure('unknown_field', `The ${where} has a field that is not known here`)
  return new Failure('invalid', where === 'headers' ? 'The headers are not valid' : `The ${where} is not valid`, {
    extra: {
      errors: issues.map(({ path = [], message }) => ({ path: path.map(String).join('.'), message })),
    },
  })
}

/** Whatever was thrown, as a Failure. Anything we did not throw on purpose is `internal`, and its cause is for the log. */
export const toFailure = (error: unknown, code: string | number): Failure => {
  if (error instanceof Failure) return error
  const cause = (error as { cause?: unknown } | null)?.cause
  if (cause instanceof Failure) return cause
  if (error instanceof ValidationError) {
    if (error.type === 'response')
      return new Failure('internal', undefined, { cause: new Error('response does not fit its schema') })
    // A path that does not have the shape of an id names nothing.
    if (error.type === 'params') return new Failure('not_found')
    return invalidInput(issuesOf(error), error.type)
  }
  if (code === 'NOT_FOUND') return new Failure('not_found')
  if (code === 'PARSE') return new Failure('malformed')
  return new Failure('internal', undefined, { cause: error })
}

type Thrown = { error: unknown; code: string | number; request: Request }

const matches = (pattern: string, path: string): boolean => {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  return wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
}

/** The app's `onError`: what was thrown as a problem; a known path with another method is 405 with `Allow`. */
export const createErrorHandler = (routes: () => readonly Route[], log: Log) => {
  const allowedOn = (request: Request): string[] => {
    const path = new URL(request.url).pathname.replace(/\/$/, '')
    return routes().flatMap((r) => (matches(r.path.replace(/\/$/, ''), path) ? [r.method] : []))
  }

  return ({ error, code, request }: Thrown): Response => {
    const requestId = findExchange(request)?.requestId ?? ''
    let failure = toFailure(error, code)
    if (code === 'NOT_FOUND') {
      const allow = [...new Set(allowedOn(request))].sort().join(', ')
      if (allow !== '') failure = new Failure('method_not_allowed', undefined, { headers: { allow } })
    }
    if (failure.code === 'internal') log.error({ request_id: requestId, error: failure.cause }, 'request failed')
    return problem(failure, requestId)
  }
}
