// Sends one file, with progress, so that it can be paused and goes on where the server has it: tus 1.0, and no more of it.
import type { Problem } from './send'

const version = { 'tus-resumable': '1.0.0' }
const patience = [500, 1500, 4000]
const lost: Problem = { code: 'offline' }
/** What passes by itself. */
const passing = new Set(['offline', 'conflict', 'locked', 'unavailable', 'rate_limited'])
// A HEAD is answered without words.
const codes: Record<number, Problem['code']> = {
  401: 'unauthenticated',
  404: 'not_found',
  503: 'unavailable',
}

type Sent = { status: number; header: (name: string) => string | null; text: string }
export type Target = { headers: () => Record<string, string>; project: string }
export type Outcome = 'done' | 'paused' | { problem: Problem }

/** By XMLHttpRequest: fetch does not tell how far a body is. `null` where the server was not reached or it was stopped. */
const request = (
  method: string,
  url: string,
  headers: Record<string, string>,
  { body, signal, progress }: { body?: Blob; signal: AbortSignal; progress?: (bytes: number) => void },
): Promise<Sent | null> =>
  new Promise((resolve) => {
    const xhr = new XMLHttpRequest()
    xhr.open(method, url)
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    xhr.upload.onprogress = ({ loaded }) => progress?.(loaded)
    xhr.onload = () =>
      resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), text: xhr.responseText })
    xhr.onerror = xhr.onabort = () => resolve(null)
    signal.addEventListener('abort', () => xhr.abort(), { once: true })
    xhr.send(body ?? null)
  })

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

const problemIn = ({ text }: Sent): Problem => {
  try {
    return { code: (JSON.parse(text) as Problem).code ?? 'internal' }
  } catch {
    return { code: 'internal' }
  }
}

/** `progress` is told how many bytes are there. */
export const createUpload = (file: File, { headers, project }: Target, progress: (bytes: number) => void) => {
  let url: string | undefined
  let stop = new AbortController()
  const head = () => ({ ...headers(), ...version, ...(project && { 'x-project-id': project }) })

  const create = async (): Promise<Problem | null> => {
    const metadata = [
      ['filename', file.name],
      ['filetype', file.type],
    ].flatMap(([name, value]) => (value ? [`${name} ${base64(value)}`] : []))
    const announced = { 'upload-length': String(file.size), 'upload-metadata': metadata.join(',') }
    const sent = await request('POST', '/api/uploads', { ...head(), ...announced }, { signal: stop.signal })
    if (!sent) return { code: 'offline' }
    const location = sent.header('location')
    if (sent.status !== 201 || !location) return problemIn(sent)
    const to = new URL(location, new URL('/api/uploads', window.location.origin))
    if (to.origin !== window.location.origin) return { code: 'internal' }
    url = to.pathname
    return null
  }

  /** How much the server has; all of it, once it is a file. */
  const offset = async (): Promise<number | 'whole' | Problem> => {
    const sent = await request('HEAD', url!, head(), { signal: stop.signal })
    if (!sent) return { code: 'offline' }
    if (sent.status >= 300) {
      // It is forgotten: the next try begins anew.
      if (sent.status === 404) url = undefined
      return { code: codes[sent.status] ?? 'internal' }
    }
    return sent.header('content-location') ? 'whole' : Number(sent.header('upload-offset'))
  }

  const sendRest = async (from: number): Promise<Problem | null> => {
    const rest = { ...head(), 'content-type': 'application/offset+octet-stream', 'upload-offset': String(from) }
    const told = (bytes: number) => progress(from + bytes)
    const sent = await request('PATCH', url!, rest, { body: file.slice(from), signal: stop.signal, progress: told })
    if (!sent) return { code: 'offline' }
    return sent.status === 204 ? null : problemIn(sent)
  }

  const attempt = async (): Promise<Problem | null> => {
    const unmade = url === undefined ? await create() : null
    if (unmade) return unmade
    const at = await offset()
    if (at === 'whole') return null
    if (typeof at === 'object') return at
    progress(at)
    return sendRest(at)
  }

  return {
    /** Sends what is missing; a broken connection is tried again a few times. */
    async run(): Promise<Outcome> {
      stop = new AbortController()
      for (let tries = 0; ; tries++) {
        const problem = await attempt()
        if (stop.signal.aborted) return stop.signal.reason === lost ? { problem: lost } : 'paused'
        if (!problem) return 'done'
        const waitMs = patience[tries]
        if (!passing.has(problem.code) || waitMs === undefined || !navigator.onLine) return { problem }
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    },
    pause: () => stop.abort(),
    /** Stops what waits for a connection that is gone. */
    lose: () => stop.abort(lost),
    /** Stops, and tells the server to keep nothing. */
    async cancel(): Promise<void> {
      stop.abort()
      if (url) await request('DELETE', url, head(), { signal: new AbortController().signal })
    },
  }
}
export type Upload = ReturnType<typeof createUpload>
