// A real server on a free port, and HTTP/1.1 spoken to it by hand: what a client library would hide or mend.
import { connect, type Socket } from 'node:net'
import { origin } from './support'

type Handler = (request: Request, remote: () => string | null) => Response | Promise<Response>
export type WireAnswer = { status: number; headers: Headers; body: Buffer; whole: boolean }

/** Serves an app as the runtime does. Its host is the test origin's, whatever the port. */
export const serveOnWire = (handler: Handler) => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: (request, self) => {
      self.timeout(request, 0)
      return handler(request, () => '127.0.0.1')
    },
  })
  const port = server.port ?? 0
  return { port, stop: () => server.stop(true) }
}

const requestText = (method: string, target: string, headers: Record<string, string>) =>
  [
    `${method} ${target} HTTP/1.1`,
    `Host: ${new URL(origin).host}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n')

/** Opens a connection and sends the head of a request. */
export const beginRequest = (
  port: number,
  method: string,
  target: string,
  headers: Record<string, string> = {},
): Socket => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(requestText(method, target, headers))
  return socket
}

const headOf = (bytes: Buffer) => {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = new Headers(fields.map((f) => [f.slice(0, f.indexOf(':')), f.slice(f.indexOf(':') + 1).trim()]))
  return { status: Number(line.split(' ')[1]), headers, rest: bytes.subarray(end + 4) }
}

const unchunk = (bytes: Buffer): { body: Buffer; whole: boolean } => {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at)
    const length = end < 0 ? Number.NaN : Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16)
    if (length === 0) return { body: Buffer.concat(parts), whole: true }
    if (Number.isNaN(length)) return { body: Buffer.concat(parts), whole: false }
    parts.push(bytes.subarray(end + 2, end + 2 + length))
    at = end + 2 + length + 2
  }
}

/** Reads what comes until the other side closes, which every request here asks for, and says whether it was all. */
export const readAnswer = async (socket: Socket, method = 'GET'): Promise<WireAnswer> => {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => socket.once('close', resolve))
  const head = headOf(Buffer.concat(chunks))
  if (!head) throw new Error('no answer')
  const { status, headers, rest } = head
  if (headers.get('transfer-encoding') === 'chunked') return { status, headers, ...unchunk(rest) }
  const bare = method === 'HEAD' || status === 304 || status === 204
  return { status, headers, body: rest, whole: bare || rest.length === Number(headers.get('content-length')) }
}

/** One request and its answer. */
export const ask = (port: number, method: string, target: string, headers: Record<string, string> = {}) =>
  readAnswer(beginRequest(port, method, target, headers), method)
