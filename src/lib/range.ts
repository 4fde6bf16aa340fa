// The Range field of a request (RFC 9110 §14): one range of bytes, or the whole.

/**
 * The window of a player: it asks for everything, reads a little and seeks. Less than was asked is a right answer (§15.3.7).
 * Up to this any storage answers at once and with the length, not as a stream.
 */
export const playerBytes = 1024 * 1024
/** The same by a ticket, where more is a stream on any storage: streams are counted and can be cut. */
export const ticketBytes = 256 * 1024

export type RangeAnswer =
  | { kind: 'whole' }
  /** `end` exclusive. */
  | { kind: 'part'; start: number; end: number }
  /** Understood, but no byte of the content lies in it: 416. */
  | { kind: 'unsatisfiable' }

const whole: RangeAnswer = { kind: 'whole' }
const unsatisfiable: RangeAnswer = { kind: 'unsatisfiable' }

// A list may hold empty elements (§5.6.1); what is no list of one is answered whole, as §14.2 allows.
const single = /^bytes=[\t ,]*(\d*)-(\d*)[\t ,]*$/i

/** Which bytes of `size` a Range field asks for. Several ranges, unknown units and nonsense ask for the whole. */
export const parseRange = (field: string | null, size: number): RangeAnswer => {
  const [, first, last] = (field !== null && single.exec(field)) || []
  if (first === undefined || last === undefined || first + last === '') return whole
  if (first === '') return suffix(Number(last), size)
  const start = Number(first)
  if (last !== '' && Number(last) < start) return whole
  if (start >= size) return unsatisfiable
  return { kind: 'part', start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

// The last bytes of nothing are nothing, which no Content-Range can say: the whole is the same and can be said.
const suffix = (length: number, size: number): RangeAnswer => {
  if (length === 0) return unsatisfiable
  return size === 0 ? whole : { kind: 'part', start: Math.max(0, size - length), end: size }
}
