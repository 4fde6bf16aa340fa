// The documentation page: every route, from this server alone, and nothing that runs.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { type Document, docsPage } from '../src/features/docs/page'
import { typeOf } from '../src/features/docs/schema-text'
import { AppendHeaders, CreateHeaders, RawHeaders } from '../src/features/uploads/model'
import { createCors } from '../src/http/cors'
import { summaries } from '../src/http/openapi-words'
import { type Json, type TestApp, testApp } from './support'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.stop())

test('the page names every route of the API and what it asks for', async () => {
  const html = await (await t.fetch('GET', '/api/docs')).text()
  const { body } = await t.call('GET', '/api/openapi.json')
  const operations = Object.entries(body.paths as Document['paths']).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `<b>${method.toUpperCase()}</b> <code>${path}</code>`),
  )
  expect(operations.length).toBeGreaterThan(50)
  for (const operation of operations) expect(html).toContain(operation)
  expect(html).toContain('<code>key:create</code> admin, no key')
  expect(html).toContain('<span>Revoke an API key</span>')
  expect(html).toContain('<h4>Body · application/offset+octet-stream</h4>')
  expect(html).toContain('<td><code>Upload-Offset</code></td><td>header</td>')
})

test('an answer without a body is described as one, and one with a body keeps its shape', async () => {
  const { body } = await t.call('GET', '/api/openapi.json')
  const { 202: asked, 204: done } = body.paths['/api/me'].delete.responses
  expect(done).toEqual({ description: expect.stringContaining('the sign-in is fresh') })
  expect(asked.description).toContain('POST /api/auth/verify')
  expect(asked.content['application/json'].schema.required).toContain('challenge_id')
})

describe('the description', () => {
  let document: Json
  let operations: [name: string, operation: Json][]
  beforeAll(async () => {
    document = (await t.call('GET', '/api/openapi.json')).body
    operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Json] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    )
  })
  const headersOf = (operation: Json): string[] =>
    operation.parameters.flatMap((p: Json) => (p.in === 'header' ? [p.name.toLowerCase()] : []))
  const of = (name: string): Json => Object.fromEntries(operations)[name]

  test('says of every operation what it does, and of none that is not there', () => {
    expect(operations.filter(([, { summary }]) => !summary)).toEqual([])
    expect(Object.keys(summaries).map((name) => name.replace(/:(\w+)/g, '{$1}'))).toEqual(
      expect.arrayContaining(operations.map(([name]) => name)),
    )
    expect(Object.keys(summaries).length).toBe(operations.length)
  })

  test('tells the body of every route that reads one raw, as no JSON', () => {
    const raw = t.app.routes.flatMap(({ method, path, hooks }) => {
      const parses = [(hooks as { parse?: unknown }).parse].flat(2).map((p: Json) => p?.fn ?? p)
      const isRaw = parses.includes('none') && !['GET', 'OPTIONS'].includes(method)
      return isRaw ? [`${method} ${path.replace(/\/$/, '').replace(/:(\w+)/g, '{$1}')}`] : []
    })
    expect(raw.length).toBe(5)
    for (const name of raw) {
      const types = Object.keys(of(name).requestBody?.content ?? {})
      expect([name, types.length > 0, types.includes('application/json')]).toEqual([name, true, false])
    }
  })

  test.each<[string, z.ZodType, string[]]>([
    ['POST /api/media', RawHeaders, []],
    // The name stays that of the file.
    ['PUT /api/media/{id}/content', RawHeaders, ['x-file-name']],
    ['POST /api/uploads', CreateHeaders, []],
    ['PATCH /api/uploads/{id}', AppendHeaders, []],
    ['POST /api/uploads/{id}', AppendHeaders, []],
  ])('lists each header that %s reads', (name, schema, unused) => {
    const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
    const read = Object.keys(properties).filter((h) => !h.startsWith('content-') || h === 'content-digest')
    expect(read.length).toBeGreaterThan(0)
    expect(headersOf(of(name))).toEqual(expect.arrayContaining(read.filter((h) => !unused.includes(h))))
    expect(headersOf(of(name)).includes('tus-resumable')).toBe(name.includes('uploads'))
  })

  test('names every header that a page elsewhere may send, and a place where a workspace is asked', () => {
    const asked = new Request('http://localhost', {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'GET' },
    })
    const preflight = createCors(() => true).preflight(asked)
    const sent = preflight?.headers.get('access-control-allow-headers')?.split(', ') ?? []
    const named = new Set([
      ...operations.flatMap(([, operation]) => headersOf(operation)),
      ...Object.keys(document.components.parameters).map((name) => name.toLowerCase()),
    ])
    expect(sent.length).toBeGreaterThan(10)
    expect(sent.filter((h) => !named.has(h))).toEqual(['authorization', 'content-type'])
    const places = (name: string) => of(name).parameters.filter((p: Json) => '$ref' in p).length
    expect([places('GET /api/keys'), places('GET /media/{id}'), places('GET /api/me')]).toEqual([3, 3, 0])
  })

  test('lists Idempotency-Key where a request is sent again without making two things, and nowhere else', async () => {
    const claiming: string[] = []
    for await (const path of new Bun.Glob('src/features/*/routes*.ts').scan('.'))
      claiming.push(...((await Bun.file(path).text()).match(/await once\(/g) ?? []))
    const listed = operations.filter(([, operation]) => headersOf(operation).includes('idempotency-key'))
    expect(listed.length).toBe(claiming.length)
    for (const [name] of listed) expect(name).toStartWith('POST ')
  })

  test('tells what a stream takes and answers', () => {
    const stream = of('GET /media/{id}')
    expect(headersOf(stream)).toEqual(expect.arrayContaining(['range', 'if-range', 'if-none-match', 'if-match']))
    expect(stream.parameters.find((p: Json) => p.name === 'ticket')).toMatchObject({ in: 'query', required: false })
    expect(Object.keys(stream.responses)).toEqual(['200', '206', '304', '412', '416', 'default'])
    expect(Object.keys(stream.responses[416].content)).toEqual(['application/problem+json'])
  })
})

test.each([
  ['a body of the wrong shape', { email: 1 }],
  ['an address that is none', { email: 'nobody' }],
])('the problem about %s has no member that the description does not list', async (_, wrong) => {
  const { body: described } = await t.call('GET', '/api/openapi.json')
  const { properties } = described.components.schemas.Problem
  const { status, body } = await t.call('POST', '/api/auth/start', { body: wrong })
  expect([status, body.code]).toEqual([422, 'invalid'])
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(body)))
})

test('it loads nothing from elsewhere and runs nothing, and its policy would not let it', async () => {
  const page = await t.fetch('GET', '/api/docs')
  const html = await page.text()
  expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=|https?:\/\//)
  expect(page.headers.get('content-security-policy')).toStartWith("default-src 'none'; style-src 'self';")
  const style = await t.fetch('GET', '/api/docs.css')
  expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
  expect(await style.text()).not.toMatch(/url\(|@import/)
})

test('what a description says is text, whatever it says', () => {
  const said = { summary: '<img>', requestBody: { description: '`<img>`', content: { '<img>': {} } } }
  const header = { name: '<img>', in: 'header', required: true, description: '<img>', schema: {} }
  const operation = { 'x-access': 'open: <img src=x>', ...said, parameters: [header], responses: {} }
  const html = docsPage({ info: { title: '<b>', version: '"' }, paths: { '/api/<x>': { get: operation } } })
  expect(html).not.toMatch(/<img|<b>&|<x>/)
  expect(html).toContain('&lt;img src=x&gt;')
})

test('a schema is told as a type', () => {
  const schema = {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 80 },
      level: { enum: ['read', 'write'], default: 'read' },
      projects: { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] },
      ended: { type: ['string', 'null'] },
      nets: { type: 'array', items: { anyOf: [{ type: 'string', format: 'ipv4' }, { type: 'null' }] } },
    },
  }
  expect(typeOf(schema)).toBe(
    '{\n  name: string (1–80 characters)\n  level?: "read" | "write"  // "read" by default\n  projects?: string[] | null\n  ended?: string | null\n  nets?: (string (ipv4) | null)[]\n}',
  )
})
