// One call of the public API: JSON by fetch, with the session cookie. Gives an answer or a problem, never an exception.
import type { ErrorCode } from '../errors'

/** `fields`: paths in the body that were not accepted. `human`: the work that `human_required` asks for. */
export type Problem = {
  code: ErrorCode | 'offline'
  retryAfterSeconds?: number
  fields?: readonly string[]
  human?: unknown
}
export type Answer<T> = { ok: true; data: T } | { ok: false; problem: Problem }
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

export type Hooks = {
  /** Told of every 401: the session is over, whoever ended it. */
  signedOut: () => void
  /** Told of every 403 and 404: rights or a membership may be gone. */
  refused?: () => void
  /** The workspace that calls are about. */
  workspace?: () => string | null
  /** Proves anew who is there. True: the call is made once more. */
  stepUp?: () => Promise<boolean>
}
/** `project`: the one the call is about. `quiet`: a refusal is the answer that was asked for. */
export type SendOptions = { project?: string | undefined; quiet?: boolean }

/** What an answer of the server says went wrong. */
const problemOf = async (response: Response): Promise<Problem> => {
  type Document = { code?: ErrorCode; errors?: { path: string }[]; field?: string; human?: unknown }
  const body = (await response.json().catch(() => ({}))) as Document
  const seconds = Number(response.headers.get('retry-after'))
  const fields = [...(body.errors?.map(({ path }) => path) ?? []), ...(body.field ? [body.field] : [])]
  return {
    code: body.code ?? (response.status === 503 || response.status === 502 ? 'unavailable' : 'internal'),
    ...(seconds > 0 && { retryAfterSeconds: seconds }),
    ...(fields.length > 0 && { fields }),
    ...(body.human !== undefined && { human: body.human }),
  }
}

const read = async (response: Response) => {
  if (response.status === 204) return undefined
  return /[/+]json\b/.test(response.headers.get('content-type') ?? '') ? response.json() : response.blob()
}

export const createSend = (fetch: Fetch, hooks: Hooks) => {
  const headersOf = (body: object | undefined, project: string | undefined) => {
    const workspace = hooks.workspace?.()
    return {
      ...(body && { 'content-type': 'application/json' }),
      ...(workspace && { 'x-workspace-id': workspace }),
      ...(project && { 'x-project-id': project }),
    }
  }

  const send = async <T>(
    method: string,
    path: string,
    body?: object,
    { project, quiet = false }: SendOptions = {},
    isRepeated = false,
  ): Promise<Answer<T>> => {
    const init = { method, credentials: 'same-origin', cache: 'no-store', headers: headersOf(body, project) } as const
    try {
      const response = await fetch(path, body ? { ...init, body: JSON.stringify(body) } : init)
      if (response.ok) return { ok: true, data: (await read(response)) as T }
      const problem = await problemOf(response)
      if (response.status === 401) hooks.signedOut()
      if (problem.code === 'step_up_required' && !isRepeated && (await hooks.stepUp?.()))
        return send(method, path, body, { ...(project && { project }), quiet }, true)
      if (!quiet && (problem.code === 'forbidden' || problem.code === 'not_found')) hooks.refused?.()
      return { ok: false, problem }
    } catch {
      return { ok: false, problem: { code: 'offline' } }
    }
  }
  return send
}
export type Send = ReturnType<typeof createSend>
