// The API's documentation over HTTP: a page of our own, from this server alone, that runs nothing.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { type Document, docsPage, docsStyle } from './page'

const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export const docsRoutes = (access: Access, describe: () => Document) => {
  let page: string | undefined
  const answer = (body: string, type: string) =>
    new Response(body, {
      headers: {
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': policy,
        'cache-control': 'no-cache',
      },
    })
  const open = { open: 'the API is documented to anybody', parse: 'none' } as const
  return new Elysia({ name: 'docs' })
    .use(access)
    .get(
      '/api/docs',
      () => {
        page ??= docsPage(describe())
        return answer(page, 'text/html')
      },
      open,
    )
    .get('/api/docs.css', () => answer(docsStyle, 'text/css'), open)
}
