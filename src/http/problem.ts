// Failures as RFC 9457 problem+json: the only place where an error becomes an answer. Says what is wrong, echoes nothing.
import { ValidationError } from 'elysia'
import { errors, Failure } from '../errors'

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

type Issue = { code?: string; message?: string; path?: PropertyKey[] }

/** zod's issues as places and reasons. Keys that we do not know are not repeated. */
const invalidInput = (issues: readonly Issue[], where: string): Failure => {
  if (issues.some((i) => i.code === 'unrecognized_keys'))
    return new Failure('unknown_field', `The ${where} has a field that is not known here`)
  return new Failure('invalid', `The ${where} is not valid`, {
    extra: {
      errors: issues.map((i) => ({ path: (i.path ?? []).map(String).join('.'), message: i.message ?? 'Invalid' })),
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
    return invalidInput(error.all as unknown as Issue[], error.type)
  }
  if (code === 'NOT_FOUND') return new Failure('not_found')
  if (code === 'PARSE') return new Failure('malformed')
  return new Failure('internal', undefined, { cause: error })
}
