// Our cookies: names, attributes, reading. On plain http (localhost) the prefix and Secure fall away (RFC 6265bis).

export type CookieName = 'session' | 'challenge' | 'device'

const valuePattern = /^[A-Za-z0-9._~-]{1,4096}$/

/** `secure` is whether the public origin is https. */
export const createCookies = ({ secure }: { secure: boolean }) => {
  const fullName = (name: CookieName) => (secure ? `__Host-${name}` : name)
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

  return {
    /** The cookie's value; undefined where it is absent, sent twice, or not of the shape we set. */
    read: (headers: Headers, name: CookieName): string | undefined => {
      const header = headers.get('cookie')
      if (header === null) return undefined
      const prefix = `${fullName(name)}=`
      const found = header.split(';').flatMap((part) => {
        const text = part.trim()
        return text.startsWith(prefix) ? [text.slice(prefix.length)] : []
      })
      return found.length === 1 && valuePattern.test(found[0]!) ? found[0] : undefined
    },
    /** A Set-Cookie value that keeps it for `maxAgeSeconds`. */
    set: (name: CookieName, value: string, maxAgeSeconds: number): string =>
      `${fullName(name)}=${value}; Max-Age=${maxAgeSeconds}${attributes}`,
    /** A Set-Cookie value that ends it. */
    clear: (name: CookieName): string => `${fullName(name)}=; Max-Age=0${attributes}`,
  }
}
export type Cookies = ReturnType<typeof createCookies>
