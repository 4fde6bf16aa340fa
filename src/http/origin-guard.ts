// Which requests are ours to answer: the host they name (RFC 9110 §7.4, 421) and the page they come from (CSRF).
import { Failure } from '../errors'
import { ticketIn } from './ticket'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

const forwarding = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']

/**
 * Elysia looks for the path from character 11 of the URL: a short or malformed host would reach another route than it
 * shows. Hence both the header and the URL's host must be configured ones, and the path start at 11 or later.
 * `isDirect`: what a proxy or tunnel passes on is not ours either; development, which shows mail, stays on its machine.
 */
export const createHostGuard = (hosts: ReadonlySet<string>, isDirect = false) => {
  const doors = [...hosts]
    .flatMap((host) => [`http://${host}/`, `https://${host}/`])
    .filter(({ length }) => length > 11)
  return ({ url, headers }: Request): boolean => {
    if (!doors.some((door) => url.startsWith(door))) return false
    if (isDirect && forwarding.some((name) => headers.has(name))) return false
    const claimed = headers.get('host')
    return claimed !== null && hosts.has(claimed.toLowerCase())
  }
}

export const createOriginGuard = (allowed: ReadonlySet<string>) => ({
  /** Refuses a request of a page whose origin is not allowed, tickets aside. @throws Failure `forbidden` */
  any: (page: string, request: Request): void => {
    // A ticket is made to be used by pages of others, and no cookie is looked at beside it.
    if (!allowed.has(page) && ticketIn(request) === null) throw new Failure('forbidden', 'This origin may not call')
  },
  /** A call by cookie with an unsafe method must show that it comes from an allowed page. */
  byCookie: (request: Request): void => {
    if (safeMethods.has(request.method)) return
    const site = request.headers.get('sec-fetch-site')
    if (request.headers.get('origin') === null || site === 'cross-site')
      throw new Failure('forbidden', 'A call by cookie needs an allowed Origin')
  },
  /** What makes us send mail is asked for by programs, or by an allowed page: not by a form of another site. */
  byPage: ({ headers }: Request): void => {
    const isBrowser = ['site', 'mode', 'dest'].some((name) => headers.has(`sec-fetch-${name}`))
    if (isBrowser && headers.get('origin') === null)
      throw new Failure('forbidden', 'A call by a browser needs an allowed Origin')
  },
})
export type OriginGuard = ReturnType<typeof createOriginGuard>
