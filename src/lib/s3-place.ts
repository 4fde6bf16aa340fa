// Where a bucket is, as one setting says it: s3://bucket/prefix?endpoint=…&region=…

/** `origin` and `root` are what the URL of each object begins with; `prefix` is empty or ends in a slash. */
export type S3Place = { origin: string; root: string; region: string; prefix: string }

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const options = ['endpoint', 'region', 'style']

const originOf = (text: string): URL | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  const isOrigin = url && ['http:', 'https:'].includes(url.protocol) && [url.origin, `${url.origin}/`].includes(text)
  return isOrigin ? url : null
}

/**
 * Path style where an endpoint is named, unless `style=virtual`; without one the bucket is at AWS, in the region named.
 * @throws Error whose message says what the text should have been.
 */
export const parseS3Place = (text: string): S3Place => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 's3:' || url.hash !== '') throw new Error('s3://bucket/prefix?endpoint=…&region=…')
  if (url.username !== '' || url.password !== '')
    throw new Error('free of credentials: they have settings of their own')
  const [bucket, query] = [url.hostname, url.searchParams]
  if (!bucketName.test(bucket) || url.port !== '')
    throw new Error('s3:// and the name of a bucket, 3 to 63 of a-z 0-9 . -')
  const prefix = url.pathname.replace(/^\/|\/$/g, '')
  if (!/^([\w.-]+(\/[\w.-]+)*)?$/.test(prefix)) throw new Error('under a prefix of A-Z a-z 0-9 _ . - and /')
  const names = [...query.keys()]
  if (names.some((name) => !options.includes(name)) || new Set(names).size < names.length)
    throw new Error('limited to the options endpoint, region and style, each once')
  const [given, region, style] = options.map((name) => query.get(name))
  if (region !== null && !/^[a-z0-9-]{1,64}$/.test(region ?? '')) throw new Error('in a region like eu-central-1')
  if (!given && !region) throw new Error('a bucket with its endpoint, or with its region where it is at AWS')
  const endpoint = originOf(given || `https://s3.${region}.amazonaws.com`)
  if (!endpoint) throw new Error('at an endpoint like https://host:port, without a path')
  if (style !== null && style !== 'path' && style !== 'virtual') throw new Error('of style=path or style=virtual')
  const isVirtual = style ? style === 'virtual' : !given
  return {
    origin: isVirtual ? `${endpoint.protocol}//${bucket}.${endpoint.host}` : endpoint.origin,
    root: isVirtual ? '/' : `/${bucket}/`,
    region: region ?? 'us-east-1',
    prefix: prefix === '' ? '' : `${prefix}/`,
  }
}
