// How a limit stands, and its refusal: 429 with when to come back (IETF draft ratelimit-headers).
import { Failure } from '../errors'
import type { Grant, Rate } from '../lib/gcra'

/** `name`: whom it holds, as the headers call it. `unit`: what is counted, where that is not requests. */
export type Limit = Readonly<{ name: string; rate: Rate; unit?: 'content-bytes' }>

const atOnceSeconds = 5
const seconds = (ms: number) => Math.ceil(ms / 1000)

/** How it stands, as headers. */
export const standing = ({ name, rate, unit }: Limit, { remaining, waitMs }: Omit<Grant, 'isAllowed'>) => ({
  ratelimit: `"${name}";r=${remaining};t=${seconds(waitMs || ((rate.limit - remaining) * rate.windowMs) / rate.limit)}`,
  'ratelimit-policy': `"${name}";q=${rate.limit};w=${seconds(rate.windowMs)}${unit ? `;qu="${unit}"` : ''}`,
})

/** The refusal of what is over a limit for another `waitMs`. */
export const overLimit = (limit: Limit, waitMs: number, detail?: string): Failure =>
  new Failure('rate_limited', detail, {
    headers: { 'retry-after': String(seconds(waitMs)), ...standing(limit, { remaining: 0, waitMs }) },
  })

/** The refusal of one thing more at once: nobody knows when one of them ends. */
export const tooManyAtOnce = (what: string): Failure =>
  new Failure('rate_limited', `Too many ${what} at once`, { headers: { 'retry-after': String(atOnceSeconds) } })
