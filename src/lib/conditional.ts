// Conditional requests, in the order of RFC 9110 §13.2.2.
import { parseHttpDate } from './http-date'

/** What identifies the present content. `etag` is strong, quotes included; `modifiedAt` an instant in ms. */
export type Validators = { etag: string; modifiedAt: number }
type Fields = Pick<Headers, 'get'>

const entityTags = /^[\t ,]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[\t ]*(?:,[\t ,]*|$))+$/
const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** Whether a list of entity tags names `etag`. Weak comparison takes `W/"x"` for `"x"`; a malformed list names nothing. */
export const namesTag = (field: string, etag: string, compare: 'strong' | 'weak'): boolean => {
  if (field.trim() === '*') return true
  if (!entityTags.test(field)) return false
  return (field.match(entityTag) ?? []).some((tag) => (compare === 'weak' ? tag.replace(/^W\//, '') : tag) === etag)
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

/**
 * Whether a GET or HEAD goes on. `now` in ms.
 * A date that is none is as if it were not sent; a date beside the entity tags that outrank it is not looked at.
 */
export const evaluate = (
  fields: Fields,
  { etag, modifiedAt }: Validators,
  now: number,
): 'proceed' | 'not_modified' | 'precondition_failed' => {
  const since = (name: string): number | null => {
    const field = fields.get(name)
    const at = field === null ? null : parseHttpDate(field, now)
    return at === null ? null : seconds(at)
  }
  const [ifMatch, ifNoneMatch] = [fields.get('if-match'), fields.get('if-none-match')]
  const unmodifiedSince = ifMatch === null ? since('if-unmodified-since') : null
  if (ifMatch !== null && !namesTag(ifMatch, etag, 'strong')) return 'precondition_failed'
  if (unmodifiedSince !== null && seconds(modifiedAt) > unmodifiedSince) return 'precondition_failed'

  const modifiedSince = ifNoneMatch === null ? since('if-modified-since') : null
  if (ifNoneMatch !== null && namesTag(ifNoneMatch, etag, 'weak')) return 'not_modified'
  if (modifiedSince !== null && seconds(modifiedAt) <= modifiedSince) return 'not_modified'
  return 'proceed'
}

/** Whether a Range field counts: there is no If-Range, or it names exactly what we have (strong tag, or the very date). */
export const rangeApplies = (fields: Fields, { etag, modifiedAt }: Validators, now: number): boolean => {
  const field = fields.get('if-range')?.trim()
  if (field === undefined) return true
  const at = parseHttpDate(field, now)
  return at === null ? field === etag : seconds(at) === seconds(modifiedAt)
}
