// Every failure Latchkey answers: one stable code, its status and its title. Nothing else becomes an HTTP error.

export const errors = {
  malformed: { status: 400, title: 'The request could not be read' },
  unknown_field: { status: 400, title: 'The request has a field that is not known here' },
  workspace_required: { status: 400, title: 'Name a workspace with X-Workspace-Id' },
  invalid_or_expired: { status: 400, title: 'That code or link is wrong, used or expired' },
  start_again: { status: 400, title: 'Too many wrong codes: ask for a new one' },
  unauthenticated: { status: 401, title: 'Sign in or present an API key' },
  quota_exceeded: { status: 402, title: 'A quota is used up' },
  forbidden: { status: 403, title: 'Not permitted' },
  human_required: { status: 403, title: 'Show that a person is asking' },
  step_up_required: { status: 403, title: 'Confirm that it is you with a fresh code' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'That method is not allowed here' },
  conflict: { status: 409, title: 'That does not fit the present state' },
  other_browser: { status: 409, title: 'Open the link in the browser that asked for it' },
  already_shown: { status: 409, title: 'Made earlier; its secret was shown once and is not shown again' },
  precondition_failed: { status: 412, title: 'A condition of the request does not hold' },
  too_large: { status: 413, title: 'The request is too large' },
  unsupported_type: { status: 415, title: 'That content type is not accepted here' },
  range_not_satisfiable: { status: 416, title: 'That range lies outside the content' },
  misdirected: { status: 421, title: 'This host is not served here' },
  invalid: { status: 422, title: 'The request is not valid' },
  locked: { status: 423, title: 'Something else is at work on it' },
  rate_limited: { status: 429, title: 'Too many requests' },
  checksum_mismatch: { status: 460, title: 'The bytes do not match their checksum' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'Not available right now; try again' },
  disk_full: { status: 507, title: 'There is no room to store this' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof errors

export type FailureOptions = {
  /** Further members of the problem document, e.g. `{ field: 'email' }`. Never a submitted value. */
  extra?: Record<string, unknown>
  /** Response headers the answer needs, e.g. `retry-after`. */
  headers?: Record<string, string>
  cause?: unknown
}

/** A refusal on purpose. Thrown anywhere, turned into RFC 9457 problem+json only by `http/problem.ts`. */
export class Failure extends Error {
  override name = 'Failure'
  readonly extra: Record<string, unknown> | undefined
  readonly headers: Record<string, string> | undefined

  constructor(
    readonly code: ErrorCode,
    readonly detail?: string,
    options: FailureOptions = {},
  ) {
    super(detail ?? code, options.cause === undefined ? undefined : { cause: options.cause })
    this.extra = options.extra
    this.headers = options.headers
  }
}

export const isFailure = (error: unknown, code: ErrorCode): error is Failure =>
  error instanceof Failure && error.code === code
