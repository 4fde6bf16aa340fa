// What every request passes first: whose host it names, what page it comes from, and input made to hurt. On real sockets.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { newId } from '../src/lib/id'
import { type Client, origin, type TestApp, testApp } from './support'

let t: TestApp
let server: ReturnType<typeof Bun.serve>
let admin: Client

beforeAll(async () => {
  t = await testApp({ env: { LATCHKEY_OPERATORS: 'founder@example.com' } })
  admin = await t.as('admin')
  const fetch = (request: Request) => t.app.fetch(request, () => null)
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', maxRequestBodySize: 2 ** 40, fetch })
})
afterAll(async () => {
  await server.stop(true)
  await t.stop()
})

/** Sends bytes as they are and gives what comes back until the server closes or falls silent. */
const raw = (bytes: string | Uint8Array) =>
  new Promise<string>((resolve, reject) => {
    let answer = ''
    const socket = connect(server.port!, '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(3000, () => socket.destroy())
    socket.on('data', (data) => {
      answer += data.toString('latin1')
      if (/\r\n\r\n/.test(answer)) socket.end()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)
const get = (target: string, host: string, more = '') =>
  raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`)

describe('the host guard', () => {
  test('answers only under its own hosts, whatever shape the target and the Host header have', async () => {
    expect(statusOf(await get('/api/openapi.json', 'localhost:3000'))).toBe(200)
    const hostile: [string, string][] = [
      ['/api/openapi.json', 'evil.example'],
      ['/api/openapi.json', 'localhost'],
      ['/api/openapi.json', 'localhost:3001'],
      ['/api/openapi.json', 'x'],
      ['/x/api/openapi.json', 'a@b'],
      ['/anything', 'localhost/api/openapi.json?'],
      ['/anything', 'localhost:3000/api/openapi.json?'],
      ['/api/openapi.json', 'localhost:3000@evil.example'],
      ['/api/openapi.json', 'localhost:3000#'],
      ['http://x/api/openapi.json', 'x'],
      ['//evil.example/api/openapi.json', 'localhost:3000'],
    ]
    for (const [target, host] of hostile) {
      const answer = await get(target, host)
      expect([target, host, answer.includes('"openapi"')]).toEqual([target, host, false])
      expect([target, host, [0, 400, 404, 421].includes(statusOf(answer))]).toEqual([target, host, true])
      expect(answer).not.toContain('evil')
    }
  })

  test('lets a probe ask how we are under any name, and nothing else', async () => {
    expect(statusOf(await get('/v1/health', '10.0.0.7:8080'))).toBe(200)
    expect(statusOf(await get('/v1/health/ready', 'x'))).toBe(200)
    expect(statusOf(await get('/v1/health/', '10.0.0.7:8080'))).toBe(421)
    expect(statusOf(await get('/v1/health?x', '10.0.0.7:8080'))).toBe(421)
  })
})

describe('the origin guard', () => {
  test('refuses a page of another origin, with a key, a cookie or nothing, and lets our own pass', async () => {
    for (const foreign of ['https://evil.example', 'null', `${origin}.evil.example`]) {
      const answer = await admin.get('/api/me', undefined, { headers: { origin: foreign } })
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
    }
    expect((await admin.get('/api/me', undefined, { headers: { origin } })).status).toBe(200)
  })

  test('lets a cookie change something only from our own page, in JSON', async () => {
    const cookie = `session=${admin.headers.authorization!.slice('Bearer '.length)}`
    const name = (headers: Record<string, string>, init = {}) =>
      t.call('PATCH', '/api/me', { body: { name: 'Ada' }, headers: { cookie, ...headers }, ...init })
    expect((await name({ origin })).status).toBe(200)
    expect((await name({ origin, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
    expect((await name({})).status).toBe(403)
    expect((await name({ origin, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    const form = { headers: { cookie, origin, 'content-type': 'application/x-www-form-urlencoded' }, raw: 'name=Eve' }
    expect((await t.call('PATCH', '/api/me', form)).status).toBe(415)
    expect((await t.call('GET', '/api/me', { headers: { cookie } })).status).toBe(200)
  })

  test('ignores the cookie where there is an Authorization header', async () => {
    const cookie = `session=${admin.headers.authorization!.slice('Bearer '.length)}`
    expect((await t.call('GET', '/api/me', { headers: { cookie, authorization: 'Bearer nonsense' } })).status).toBe(401)
    expect((await t.call('GET', '/api/me', { headers: { cookie: `${cookie}; ${cookie}` } })).status).toBe(401)
  })
})

const hostileBodies: [string, string | Uint8Array, number[]][] = [
  ['not JSON', '{"name":', [400]],
  ['bad UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), [400]],
  ['an array', '[]', [422]],
  ['null', 'null', [422]],
  ['a number', '7', [422]],
  ['text', '"canary-in-text"', [422]],
  ['nothing', '', [422]],
  ['an unknown field', '{"canary_field":1}', [400, 422]],
  ['a prototype', '{"__proto__":{"admin":true},"constructor":{}}', [400, 422]],
  [
    'wrong types',
    '{"name":{"canary":1},"email":[1],"role":7,"code":true,"challenge_id":null,"secret":1,"level":[],"which":{}}',
    [400, 422],
  ],
  ['NUL', '{"name":"a\\u0000canary","email":"a\\u0000@example.com"}', [400, 422]],
  ['a lone surrogate', '{"name":"\\ud800canary","email":"\\ud800@example.com"}', [400, 422]],
  ['depth', '['.repeat(120_000) + ']'.repeat(120_000), [400]],
  ['10 MB of JSON', JSON.stringify({ name: 'x'.repeat(10_000_000) }), [413]],
]

describe('hostile input', () => {
  test('on every route with a body gets a stable code, never a 500, and nothing of it back', async () => {
    const routes = t.app.routes.filter(({ hooks }) => (hooks as { body?: unknown }).body !== undefined)
    expect(routes.length).toBeGreaterThan(10)
    for (const { method, path } of routes) {
      const target = path
        .replace(/\/$/, '')
        .replace(
          ':id',
          newId(
            path.includes('members')
              ? 'usr'
              : path.includes('keys')
                ? 'key'
                : path.includes('media')
                  ? 'med'
                  : path.includes('workspaces')
                    ? 'wsp'
                    : 'prj',
          ),
        )
      for (const [what, body, statuses] of hostileBodies) {
        const answer = await t.fetch(method, target, {
          headers: { ...admin.headers, 'content-type': 'application/json' },
          raw: body as BodyInit,
        })
        const text = await answer.text()
        // A path that names nothing may be answered before its body is judged.
        expect([method, path, what, [404, ...statuses].includes(answer.status)]).toEqual([method, path, what, true])
        expect(text).not.toContain('canary')
        expect(JSON.parse(text).code).toBeString()
      }
    }
  })

  test('in the path and the query names nothing and breaks nothing', async () => {
    const parts = [
      '%00',
      '..%2f..%2fetc',
      '%2e%2e',
      '%E0%A4%A',
      'key_%2F',
      `key_${'a'.repeat(5000)}`,
      "'%20or%201=1--",
      '%F0%9F%98%80',
      'key_aaaaaaaaaaaaaaaaaaaaa%00',
    ]
    for (const area of ['keys', 'media', 'members', 'sessions'])
      for (const part of parts) {
        const answer = await admin.delete(`/api/${area}/${part}`)
        expect([area, part, answer.status, answer.body.code]).toEqual([area, part, 404, 'not_found'])
      }
    for (const query of [
      'limit=0',
      'limit=101',
      'limit=x',
      'limit=1&limit=2',
      'cursor=canary',
      'cursor=%00',
      'zz=1',
      'limit=1e9',
      "cursor='--",
    ]) {
      const answer = await admin.get(`/api/keys?${query}`)
      expect([query, [400, 422].includes(answer.status)]).toEqual([query, true])
      expect(JSON.stringify(answer.body)).not.toContain('canary')
    }
  })

  test('in the Authorization header gets one and the same 401; a NUL there goes no further than the runtime', async () => {
    const token = admin.headers.authorization!.slice('Bearer '.length)
    const head = (authorization: string) =>
      `GET /api/me HTTP/1.1\r\nHost: localhost:3000\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`
    for (const value of ['\0', `Bearer ${token}\0`, `Bearer \0${token}`, `Bearer ${token}\x01`, `Bearer ${token}\rx`])
      expect([value, await raw(head(value))]).toEqual([value, expect.stringMatching(/^HTTP\/1.1 400 [^{]*$/)])
    const values = [
      '',
      'Bearer',
      'Bearer ',
      `bearer  ${token}`,
      `Bearer ${token} x`,
      `Bearer "${token}"`,
      `Bearer '${token}'`,
      `Token ${token}`,
      `Bearer ${token},Bearer ${token}`,
      `Bearer ${'a'.repeat(10_000)}`,
      "Bearer ml_live_' OR 1=1 --",
      `Bearer ml_live_${'é'.repeat(23)}`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}=`,
      `Bearer ${token}\x7f`,
      `Bearer\t${token}`,
      `Bearer ml_live_${'0'.repeat(46)}`,
    ]
    const bodies = new Set<string>()
    for (const authorization of values) {
      const answer = await raw(head(authorization))
      expect([authorization.slice(0, 40), statusOf(answer)]).toEqual([authorization.slice(0, 40), 401])
      bodies.add(answer.slice(answer.indexOf('\r\n\r\n')).replace(/req_\w+/, ''))
    }
    expect(bodies.size).toBe(1)
    expect((await admin.get('/api/me')).status).toBe(200)
  })
})
