// AWS Signature Version 4: what S3, and whatever speaks like it, asks of each request.
import { createHmac, hash } from 'node:crypto'

export type SigningKeys = { access: string; secret: string }
type Signed = {
  method: string
  /** Its path and query already encoded by `encodePath` and `encodeQuery`. */
  url: URL
  headers: Readonly<Record<string, string>>
  /** SHA-256 in hex of the body. */
  payload: string
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** A path with all but its slashes percent-encoded. */
export const encodePath = (path: string): string => path.split('/').map(encode).join('/')

/** A query string in the one order and spelling that is signed. */
export const encodeQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&')

const mac = (key: string | Uint8Array, text: string): Uint8Array => createHmac('sha256', key).update(text).digest()

/**
 * The headers to send: those given, with date, digest and signature. `now`: an instant in ms, which the service compares
 * with its own clock.
 */
export const signV4 = (
  { method, url, headers, payload }: Signed,
  { access, secret }: SigningKeys,
  region: string,
  now: number,
): Record<string, string> => {
  const time = new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  const sent = { ...headers, 'x-amz-content-sha256': payload, 'x-amz-date': time }
  const lines = Object.entries({ ...sent, host: url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = lines.map(([name]) => name).join(';')
  const fields = lines.map(([name, value]) => `${name}:${value}\n`).join('')
  const request = [method, url.pathname, url.search.slice(1), fields, names, payload].join('\n')
  const text = ['AWS4-HMAC-SHA256', time, scope, hash('sha256', request)].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Uint8Array>(mac, `AWS4${secret}`)
  const signature = Buffer.from(mac(key, text)).toString('hex')
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${access}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}
