// How the doctor speaks to a server: over HTTP and nothing else, whether it runs in this process or far away.

export type Sent = { headers?: Record<string, string>; body?: unknown; raw?: string }
/** `cookie`: what a browser would send back of the cookies that it was given. `location`: of what was made. */
export type Reply = { status: number; text: string; body: Record<string, unknown>; cookie: string; location: string }
export type Send = (method: string, target: string, sent?: Sent) => Promise<Reply>

const read = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** A sender over `fetch`, which gives the answer to a method, a target beginning with `/`, headers and a body. */
export const createSend =
  (
    fetch: (method: string, target: string, headers: Record<string, string>, body?: string) => Promise<Response>,
  ): Send =>
  async (method, target, { headers = {}, body, raw } = {}) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(method, target, { ...json, ...headers }, body === undefined ? raw : JSON.stringify(body))
    const text = await answer.text()
    const location = answer.headers.get('location') ?? ''
    const cookie = answer.headers.getSetCookie().map((set) => set.split(';')[0])
    return { status: answer.status, text, body: read(text), cookie: cookie.join('; '), location }
  }

/** A text of an answer's body. @throws Error, as a sentence, when the answer was not a success or lacks it. */
export const textOf = ({ status, body }: Reply, name: string): string => {
  const value = body[name]
  if (status >= 400 || typeof value !== 'string') throw new Error(`${status}: ${body.code ?? `no ${name}`}`)
  return value
}

/** The list in an answer's `data`. */
export const listOf = ({ body }: Reply): Record<string, unknown>[] =>
  (body.data as Record<string, unknown>[] | undefined) ?? []
