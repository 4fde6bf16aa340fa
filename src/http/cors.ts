// Cross-origin calls with credentials (Fetch standard, CORS): named origins alone, preflights answered before the app.

const allowed = {
  methods: 'GET, HEAD, POST, PUT, PATCH, DELETE',
  headers:
    'authorization, content-digest, content-type, idempotency-key, if-match, if-none-match, if-range, range, tus-resumable, upload-checksum, upload-length, upload-metadata, upload-offset, x-file-name, x-namespace, x-project-id, x-workspace-id',
  exposed:
    'accept-ranges, content-disposition, content-location, content-range, etag, location, ratelimit, ratelimit-policy, retry-after, tus-checksum-algorithm, tus-extension, tus-max-size, tus-resumable, tus-version, upload-expires, upload-length, upload-metadata, upload-offset, x-request-id',
}
const preflightSeconds = 600

/** `isAllowed` holds for `Origin` values from which pages may call. A foreign origin is refused elsewhere. */
export const createCors = (isAllowed: (origin: string) => boolean) => ({
  /** The answer to a preflight of a page; null for any other request. */
  preflight: ({ method, headers }: Request): Response | null => {
    if (method !== 'OPTIONS' || !headers.has('access-control-request-method')) return null
    return new Response(null, {
      status: 204,
      headers: {
        'access-control-allow-methods': allowed.methods,
        'access-control-allow-headers': allowed.headers,
        'access-control-max-age': String(preflightSeconds),
      },
    })
  },
  /** Lets the page that called read the answer. */
  share: (page: string, { headers }: Response): void => {
    if (!isAllowed(page)) return
    headers.set('access-control-allow-origin', page)
    headers.set('access-control-allow-credentials', 'true')
    headers.set('access-control-expose-headers', allowed.exposed)
    headers.append('vary', 'Origin')
  },
})
export type Cors = ReturnType<typeof createCors>
