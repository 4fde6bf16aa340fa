// Private, immutable bytes as an answer: conditions and one range by RFC 9110, and headers under which nothing can run.
import { Failure } from '../errors'
import { evaluate, rangeApplies } from '../lib/conditional'
import { contentDisposition } from '../lib/disposition'
import { httpDate } from '../lib/http-date'
import { parseRange } from '../lib/range'
import { isInline, unknownType } from '../lib/sniff'
import type { BlobBody, ByteRange } from '../ports'
import { exchangeOf } from './exchange'

export type Content = {
  name: string
  /** By its first bytes. What is not known to be harmless in a page is offered for saving. */
  type: string
  size: number
  sha256: string
  createdAt: number
  /** Given by a ticket, so for tags, players and scripts on any origin. */
  isShared: boolean
  read(range: ByteRange): Promise<BlobBody>
}

const sandbox = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
const guarded = {
  'cache-control': 'private, no-cache, no-transform',
  vary: 'Cookie, Authorization',
  'x-content-type-options': 'nosniff',
  'content-security-policy': sandbox,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'none',
}
const shared = {
  ...guarded,
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'accept-ranges, content-range, etag',
}

// Players ask for everything, read a little and seek. Less than was asked is a right answer (§15.3.7), and small enough
// to be sent with its length. Nobody else is cut short: `curl -C -` would take the cut for the end.
const playerBytes = 1024 * 1024
const isPlayer = ({ headers }: Request): boolean =>
  /^(audio|video)$/.test(headers.get('sec-fetch-dest') ?? '') ||
  /^AppleCoreMedia\//.test(headers.get('user-agent') ?? '')

const rangeOf = (request: Request, { size }: Content, applies: boolean) => {
  const range = parseRange(applies ? request.headers.get('range') : null, size)
  if (range.kind === 'unsatisfiable')
    throw new Failure('range_not_satisfiable', undefined, { headers: { 'content-range': `bytes */${size}` } })
  if (range.kind === 'whole') return { status: 200, start: 0, end: size }
  const end = isPlayer(request) ? Math.min(range.end, range.start + playerBytes) : range.end
  return { status: 206, start: range.start, end }
}

/**
 * Answers a GET or HEAD of `content`, once it is settled that the caller may have it. `now` in ms.
 * @throws Failure `precondition_failed`, `range_not_satisfiable`, and what `read` throws.
 */
export const serve = async (request: Request, content: Content, now: number): Promise<Response> => {
  const validators = { etag: `"${content.sha256}"`, modifiedAt: content.createdAt }
  const identity = {
    ...(content.isShared ? shared : guarded),
    etag: validators.etag,
    'last-modified': httpDate(content.createdAt),
  }
  const verdict = evaluate(request.headers, validators, now)
  if (verdict === 'precondition_failed') throw new Failure('precondition_failed')
  if (verdict === 'not_modified') return new Response(null, { status: 304, headers: identity })

  const isGet = request.method === 'GET'
  const { status, start, end } = rangeOf(request, content, isGet && rangeApplies(request.headers, validators, now))
  const inline = isInline(content.type)
  const headers = {
    ...identity,
    'accept-ranges': 'bytes',
    'content-type': inline ? content.type : unknownType,
    'content-disposition': contentDisposition(inline ? 'inline' : 'attachment', content.name),
    'content-length': String(end - start),
    ...(status === 206 && { 'content-range': `bytes ${start}-${end - 1}/${content.size}` }),
  }
  if (isGet) return new Response(await content.read({ start, end }), { status, headers })
  exchangeOf(request).contentLength = content.size
  return new Response(null, { status, headers })
}
