// The documentation page: every route, from this server alone, and nothing that runs.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Document, docsPage } from '../src/features/docs/page'
import { typeOf } from '../src/features/docs/schema-text'
import { type TestApp, testApp } from './support'

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
})

test('an answer without a body is described as one, and one with a body keeps its shape', async () => {
  const { body } = await t.call('GET', '/api/openapi.json')
  const { 202: asked, 204: done } = body.paths['/api/me'].delete.responses
  expect(done).toEqual({ description: 'Done' })
  expect(asked.content['application/json'].schema.required).toContain('challenge_id')
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
  const operation = { 'x-access': 'open: <img src=x>', parameters: [], responses: {} }
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
