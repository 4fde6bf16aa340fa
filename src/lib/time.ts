// Instants as they cross the wire.

/** Milliseconds since 1970 UTC as RFC 3339 in UTC. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString()

/** As `rfc3339`, null for what has not happened. */
export const rfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms))
