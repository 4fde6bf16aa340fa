// The API's own description (OpenAPI 3.1), made from the routes themselves, so that it cannot say anything else.
import { z } from 'zod'
import { errors } from '../errors'
import type { Route } from './access'
import { headerParameter, placeHeaders, wireOf } from './openapi-wire'
import { summaries } from './openapi-words'

type Hooks = {
  detail?: Record<string, unknown>
  body?: unknown
  query?: unknown
  params?: unknown
  answers?: Record<string, unknown>
}

const isSchema = (value: unknown): value is z.ZodType => value instanceof z.ZodType
const schemaOf = (schema: z.ZodType, io: 'input' | 'output') => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}

const parametersOf = (schema: unknown, place: 'path' | 'query') => {
  if (!isSchema(schema)) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input')
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as Record<string, unknown>
    const isRequired = place === 'path' || required.includes(name)
    return { name, in: place, required: isRequired, ...(description !== undefined && { description }), schema }
  })
}

const problemAnswer = {
  description: 'A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const answerOf = (schema: z.ZodType) => ({
  description: 'Done',
  ...(!(schema instanceof z.ZodUndefined) && {
    content: { 'application/json': { schema: schemaOf(schema, 'output') } },
  }),
})

const responsesOf = (schemas: Record<string, unknown>, meanings: Record<string, string>) => {
  const shaped = Object.entries(schemas).flatMap(([status, schema]) =>
    isSchema(schema) ? [[status, answerOf(schema)] as const] : [],
  )
  const answers: Record<string, { description: string }> = Object.fromEntries(shaped)
  for (const [status, description] of Object.entries(meanings))
    answers[status] = { ...(status.startsWith('4') ? problemAnswer : answers[status]), description }
  return {
    ...(Object.keys(answers).length > 0 ? answers : { '2XX': { description: 'Done' } }),
    default: problemAnswer,
  }
}

const pathOf = (path: string) => path.replace(/(.)\/$/, '$1')

const operationOf = ({ method, path, hooks }: Route) => {
  const { detail = {}, body, query, params, answers = {} } = (hooks ?? {}) as Hooks
  const access = String(detail['x-access'])
  const name = `${method} ${pathOf(path)}`
  const wire = wireOf(name, access)
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, c: string | undefined) => (c ?? '').toUpperCase())}`,
    ...(summaries[name] !== undefined && { summary: summaries[name] }),
    'x-access': access,
    ...(access.startsWith('open: ') ? { security: [] } : {}),
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query'), ...wire.parameters],
    ...(wire.requestBody && { requestBody: wire.requestBody }),
    ...(isSchema(body) && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: responsesOf(answers, wire.answers),
  }
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { enum: Object.keys(errors) },
    detail: { type: 'string' },
    errors: {
      description: 'What is wrong where: on `invalid`, for each place in the body or query',
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
    field: { description: 'The field that the detail is about', type: 'string' },
    human: { description: 'On `human_required`: what to solve before asking again', type: 'object' },
    request_id: { type: 'string' },
  },
}

/** The document for these routes; pages (nothing under /api, /v1 or /media) are left out. */
export const describeApi = (routes: readonly Route[], { origin, version }: { origin: string; version: string }) => {
  const paths: Record<string, Record<string, ReturnType<typeof operationOf>>> = {}
  for (const route of routes) {
    if (!/^\/(api|v1|media)\//.test(route.path)) continue
    const path = pathOf(route.path).replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Latchkey', version },
    servers: [{ url: origin }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key (ml_live_…) or a session token' },
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-session' },
      },
      parameters: Object.fromEntries(
        Object.entries(placeHeaders).map(([name, told]) => [name, headerParameter(name, told)]),
      ),
      schemas: { Problem: problemSchema },
    },
  }
}
