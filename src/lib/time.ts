// Instants as they cross the wire.
import { z } from 'zod'

/** An instant in RFC 3339 with its offset, as milliseconds since 1970 UTC. */
export const Instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

/** Milliseconds since 1970 UTC as RFC 3339 in UTC. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString()

/** As `rfc3339`, null for what has not happened. */
export const rfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms))
