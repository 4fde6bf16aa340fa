// The console over HTTP: strings that were bundled beforehand. It holds no rule: whoever may load it may see nothing yet.
import { Elysia } from 'elysia'
import { Failure } from '../errors'
import type { Access } from '../http/access'
import { namesTag } from '../lib/conditional'
import type { Asset, Pages } from './build'
import { paths } from './paths'

const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
const forever = 'public, max-age=31536000, immutable'

// A 304 carries every header of its 200 (RFC 9110 §15.4.5): a browser puts them over those it kept, the policy too.
const answer = (request: Request, { type, etag, body }: Asset, headers: Record<string, string>): Response => {
  const known = namesTag(request.headers.get('if-none-match') ?? '', etag, 'weak')
  return new Response(known ? null : body, {
    status: known ? 304 : 200,
    headers: { 'content-type': type, etag, 'content-security-policy': contentPolicy, ...headers },
  })
}

/** `withInbox`: whether `/inbox` is there, in development. */
export const consoleRoutes = (access: Access, pages: Pages, { withInbox }: { withInbox: boolean }) => {
  const app = new Elysia({ name: 'console' }).use(access)
  const page = { open: 'a page without content: all it shows comes from the API', parse: 'none' } as const

  for (const path of Object.values(paths).filter((path) => path !== paths.link))
    app.get(path, ({ request }) => answer(request, pages.app, { 'cache-control': 'no-cache' }), page)

  // Without its ETag: nothing about this page is to be kept.
  app.get(
    paths.link,
    () => {
      const headers = { 'content-security-policy': contentPolicy, 'cache-control': 'no-store' }
      return new Response(pages.app.body, {
        headers: { ...headers, 'content-type': pages.app.type, 'x-robots-tag': 'noindex, nofollow' },
      })
    },
    page,
  )

  app.get(
    '/assets/:name',
    ({ request, params }) => {
      const asset = Object.hasOwn(pages.assets, `/assets/${params.name}`) && pages.assets[`/assets/${params.name}`]
      if (!asset) throw new Failure('not_found')
      return answer(request, asset, { 'cache-control': forever })
    },
    { open: 'scripts and styles of the console, named by their content', parse: 'none' },
  )

  if (withInbox) {
    const headers = { 'cache-control': 'no-cache', 'content-security-policy': `${contentPolicy}; frame-src 'self'` }
    app.get('/inbox', ({ request }) => answer(request, pages.inbox, headers), page)
  }
  return app
}
