// Private, immutable bytes as an answer: conditions and one range by RFC 9110, and headers under which nothing can run.
import { Failure } from '../errors'
import { evaluate, rangeApplies } from '../lib/conditional'
import { contentDisposition } from '../lib/disposition'
import { httpDate } from '../lib/http-date'
import { parseRange, playerBytes, ticketBytes } from '../lib/range'
import { isInline, unknownType } from '../lib/sniff'
import type { BlobBody, ByteRange } from '../ports'
import { exchangeOf } from './exchange'

/** What does not change as long as it is the same object. */
type Facts = Readonly<{
  name: string
  /** By its first bytes. What is not known to be harmless in a page is offered for saving. */
  type: string
  size: number
  sha256: string
  changedAt: number
}>
export type Content = {
  facts: Facts
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

// Nobody else is cut short: `curl -C -` would take the cut for the end.
const isPlayer = ({ headers }: Request): boolean =>
  /^(audio|video)$/.test(headers.get('sec-fetch-dest') ?? '') ||
  /^AppleCoreMedia\//.test(headers.get('user-agent') ?? '')

const rangeOf = (request: Request, size: number, isShared: boolean, applies: boolean) => {
  const range = parseRange(applies ? request.headers.get('range') : null, size)
  if (range.kind === 'unsatisfiable')
    throw new Failure('range_not_satisfiable', undefined, { headers: { 'content-range': `bytes */${size}` } })
  if (range.kind === 'whole') return null
  const window = isShared ? ticketBytes : playerBytes
  const end = isPlayer(request) ? Math.min(range.end, range.start + window) : range.end
  return { start: range.start, end }
}

const describe = ({ name, type, size, sha256, changedAt }: Facts, isShared: boolean) => {
  const inline = isInline(type)
  const validators = { etag: `"${sha256}"`, modifiedAt: changedAt }
  const identity = {
    ...(isShared ? shared : guarded),
    ...{ etag: validators.etag, 'last-modified': httpDate(changedAt) },
  }
  const fields = {
    ...{ ...identity, 'accept-ranges': 'bytes', 'content-type': inline ? type : unknownType },
    'content-disposition': contentDisposition(inline ? 'inline' : 'attachment', name),
  }
  return { validators, identity, fields, whole: new Headers({ ...fields, 'content-length': String(size) }) }
}
// What is asked for again is found in a cache, the same object: its headers are made once.
const known = new WeakMap<Facts, ReturnType<typeof describe>>()
const described = (facts: Facts, isShared: boolean) => {
  if (isShared) return describe(facts, true)
  const made = known.get(facts) ?? describe(facts, false)
  known.set(facts, made)
  return made
}

/**
 * Answers a GET or HEAD of `content`, once it is settled that the caller may have it. `now` in ms.
 * @throws Failure `precondition_failed`, `range_not_satisfiable`, and what `read` throws.
 */
export const serve = async (request: Request, content: Content, now: number): Promise<Response> => {
  const { size } = content.facts
  const { validators, identity, fields, whole } = described(content.facts, content.isShared)
  const verdict = evaluate(request.headers, validators, now)
  if (verdict === 'precondition_failed') throw new Failure('precondition_failed')
  if (verdict === 'not_modified') return new Response(null, { status: 304, headers: identity })

  const isGet = request.method === 'GET'
  const part = rangeOf(request, size, content.isShared, isGet && rangeApplies(request.headers, validators, now))
  if (!isGet) {
    exchangeOf(request).contentLength = size
    return new Response(null, { status: 200, headers: whole })
  }
  if (part === null) return new Response(await content.read({ start: 0, end: size }), { status: 200, headers: whole })
  const { start, end } = part
  const headers = {
    ...fields,
    'content-length': String(end - start),
    'content-range': `bytes ${start}-${end - 1}/${size}`,
  }
  return new Response(await content.read(part), { status: 206, headers })
}
