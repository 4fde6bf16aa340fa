// Where sign-in may lead: a path of our own origin, or what the operator has listed.

/** A path on our own origin: never a host, never a backslash that a browser would read as one. */
const isOwnPath = (text: string): boolean => {
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text)) return false
  // As a browser reads it: `/.//evil.example` is `//evil.example` once its dots are gone.
  const read = new URL(text, 'http://own.invalid')
  return read.origin === 'http://own.invalid' && !read.pathname.startsWith('//')
}

/** Whether `path` is `place` or lies below it. */
const isUnder = (place: string, path: string) =>
  path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`)

/** Only in the spelling that a browser itself would give it, so that both read the same host. */
const canonicalUrl = (text: string): URL | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && url.href === text && /^https?:$/.test(url.protocol) && url.username === '' ? url : undefined
}

/**
 * Judges a place to go to. `listed`: paths and URLs, each with all that lies below it. A listed URL is added to our own
 * paths; listed paths narrow them. Null: any path of our own.
 */
export const createRedirects = (listed: readonly string[] | null): ((to: string) => boolean) => {
  const paths = (listed ?? []).filter((place) => place.startsWith('/'))
  const urls = (listed ?? []).filter((place) => !place.startsWith('/')).map((place) => new URL(place))
  return (to) => {
    if (isOwnPath(to)) {
      const { pathname } = new URL(to, 'http://our.own')
      return paths.length === 0 || paths.some((place) => isUnder(place, pathname))
    }
    const url = canonicalUrl(to)
    return (
      url !== undefined && urls.some((place) => place.origin === url.origin && isUnder(place.pathname, url.pathname))
    )
  }
}
