// Who may call from which page, and where sign-in may lead: named origins and places, and nothing that only looks like them.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createRedirects } from '../src/lib/redirect'
import { origin, type TestApp, testApp } from './support'

const app = 'https://app.example.com'
let t: TestApp
beforeAll(async () => {
  const env = { LATCHKEY_ALLOWED_ORIGINS: app, LATCHKEY_REDIRECTS: `${app}/back,/welcome` }
  t = await testApp({ env })
})
afterAll(() => t.stop())

const preflight = (from: string, method = 'POST', target = '/api/keys') =>
  t.fetch('OPTIONS', target, {
    headers: {
      origin: from,
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type',
    },
  })

describe('a page of an allowed origin', () => {
  test('is told before it calls what it may send, with its credentials', async () => {
    for (const target of ['/api/keys', '/media/med_x', '/nowhere']) {
      const { status, headers } = await preflight(app, 'DELETE', target)
      expect(status).toBe(204)
      expect(headers.get('access-control-allow-origin')).toBe(app)
      expect(headers.get('access-control-allow-credentials')).toBe('true')
      expect(headers.get('access-control-allow-methods')).toContain('DELETE')
      expect(headers.get('access-control-allow-headers')).toContain('x-workspace-id')
      expect(headers.get('vary')).toContain('Origin')
    }
  })

  test('reads every answer, refusals too', async () => {
    for (const answer of [
      await t.call('GET', '/v1/health', { headers: { origin: app } }),
      await t.call('GET', '/api/me', { headers: { origin: app } }),
      await t.call('GET', '/nowhere', { headers: { origin: app } }),
    ])
      expect(answer.headers.get('access-control-allow-origin')).toBe(app)
  })

  test('signs somebody in by cookie and changes something', async () => {
    const headers = { origin: app, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }
    const started = await t.call('POST', '/api/auth/start', { body: { email: 'ada@example.com' }, headers })
    const cookie = started.headers.getSetCookie()[0]!.split(';')[0]!
    const body = { challenge_id: started.body.challenge_id, code: await t.codeFor('ada@example.com') }
    const entered = await t.call('POST', '/api/auth/verify', { body, headers: { ...headers, cookie } })
    const session = entered.headers.getSetCookie()[0]!.split(';')[0]!
    const patch = { body: { name: 'Ada' }, headers: { ...headers, cookie: session } }
    expect((await t.call('PATCH', '/api/me', patch)).status).toBe(200)
  })
})

describe('a page of any other origin', () => {
  test('gets no leave to read or to call, whatever its name looks like', async () => {
    for (const foreign of [
      'https://evil.example',
      'null',
      `${app}.evil.example`,
      'http://app.example.com',
      'https://APP.example.com',
      `${app}:8443`,
      `${app}/`,
      'https://sub.app.example.com',
      `${app}, ${origin}`,
    ]) {
      const asked = await preflight(foreign)
      const called = await t.call('GET', '/v1/health', { headers: { origin: foreign } })
      for (const { status, headers } of [asked, called]) {
        expect([foreign, status]).toEqual([foreign, 403])
        expect(headers.get('access-control-allow-origin')).toBeNull()
      }
    }
  })

  test('no leave is given where nobody asked for it', async () => {
    const { headers } = await t.call('GET', '/v1/health')
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect((await t.call('OPTIONS', '/api/keys')).status).not.toBe(204)
  })
})

describe('asking for mail', () => {
  const ask = (headers: Record<string, string>) =>
    t.call('POST', '/api/auth/start', { body: { email: 'bob@example.com', transport: 'token' }, headers })

  test('takes an allowed origin from a browser, even without a cookie; a program needs none', async () => {
    for (const name of ['site', 'mode', 'dest']) {
      const answer = await ask({ [`sec-fetch-${name}`]: 'cors' })
      expect([name, answer.status, answer.body.code]).toEqual([name, 403, 'forbidden'])
      expect((await ask({ [`sec-fetch-${name}`]: 'cors', origin: app })).status).toBe(202)
    }
    expect((await ask({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).status).toBe(403)
    const { body } = await ask({})
    t.clock.advance(60_000)
    const again = { challenge_id: body.challenge_id, binding: body.binding }
    const resend = (headers: Record<string, string>) => t.call('POST', '/api/auth/resend', { body: again, headers })
    expect((await resend({ 'sec-fetch-site': 'none' })).status).toBe(403)
    expect((await resend({ 'sec-fetch-site': 'same-origin', origin })).status).toBe(202)
  })
})

describe('sign-in leads', () => {
  const lead = async (redirect: string) => {
    const body = { email: 'eve@example.com', transport: 'token', redirect }
    return (await t.call('POST', '/api/auth/start', { body })).status
  }

  test('where the list says and below it, and nowhere else', async () => {
    for (const to of ['/welcome', '/welcome/in?x=1', `${app}/back`, `${app}/back/to?here=1`])
      expect([to, await lead(to)]).toEqual([to, 202])
    for (const to of [
      '/',
      '/welcomes',
      '/account',
      '//evil.example/welcome',
      '/\\evil.example',
      '/.//evil.example',
      '/welcome/../account',
      `${app}/`,
      `${app}/backdoor`,
      `${app}/back/../x`,
      `${app}.evil.example/back`,
      'https://app.example.com:8443/back',
      'https://user@app.example.com/back',
      'https://app.example.com\\@evil.example/back',
      'http://app.example.com/back',
      'HTTPS://app.example.com/back',
      'javascript:alert(1)//app.example.com/back',
      `${origin}/welcome`,
      ' /welcome',
      '',
    ])
      expect([to, await lead(to)]).toEqual([to, 422])
  })

  test('to any path of the origin where no path is listed, and to no other host', () => {
    const anyPath = createRedirects(null)
    for (const to of ['/', '/a/b?c=d#e', '/%2f%2fevil.example']) expect([to, anyPath(to)]).toEqual([to, true])
    for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example/', '/\tx', 'x'])
      expect([to, anyPath(to)]).toEqual([to, false])
    const withUrl = createRedirects([`${app}/back`])
    expect([withUrl('/anything'), withUrl(`${app}/back`), withUrl(`${app}/`)]).toEqual([true, true, false])
  })
})
