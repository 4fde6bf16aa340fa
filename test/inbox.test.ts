// The development inbox over HTTP.
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { inboxRoutes } from '../src/features/inbox/routes'
import { createAccess } from '../src/http/access'
import { Exchange, rememberExchange } from '../src/http/exchange'
import { toFailure } from '../src/http/problem'

const mail = (id: string, sentAt: number) => ({
  id,
  to: 'a@example.com',
  subject: 's',
  text: 't',
  html: '<p>h</p>',
  sentAt,
})

const get = (path: string) => {
  const request = new Request(`http://localhost${path}`)
  rememberExchange(request, new Exchange(request, 'req_test', 0, () => null))
  const inbox = { list: () => [mail('two@x', 2000), mail('one@x', 1000)] }
  return new Elysia()
    .onError(({ error, code }) => new Response(toFailure(error, code).code, { status: 404 }))
    .use(inboxRoutes(createAccess(), inbox))
    .handle(request)
}

test('mails are told as the contract says, in the order they are kept in', async () => {
  const { data } = (await (await get('/inbox.json')).json()) as { data: Record<string, unknown>[] }
  expect(data.map(({ id }) => id)).toEqual(['two@x', 'one@x'])
  const { sentAt, ...rest } = mail('two@x', 2000)
  expect(data[0]).toEqual({ ...rest, sent_at: new Date(sentAt).toISOString() })
})

test('the HTML of a mail runs nothing, reaches nothing and has no origin; its links open beside it', async () => {
  const answer = await get('/inbox/two%40x')
  const policy = answer.headers.get('content-security-policy')!
  expect(await answer.text()).toBe('<!doctype html><base target="_blank"><p>h</p>')
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'self'")
  expect(policy).toMatch(/sandbox allow-popups allow-popups-to-escape-sandbox$/)
})

test('a mail that is not there is not found', async () => {
  expect([(await get('/inbox/three')).status, await (await get('/inbox/three')).text()]).toEqual([404, 'not_found'])
})
