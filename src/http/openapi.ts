// The API's own description (OpenAPI 3.1), made from the routes themselves, so that it cannot say anything else.
import { z } from 'zod'
import { errors } from '../errors'
import type { Route } from './access'

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
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }))
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

const responsesOf = (schemas: Record<string, unknown>) => {
  const answers = Object.entries(schemas).flatMap(([status, schema]) =>
    isSchema(schema) ? [[status, answerOf(schema)]] : [],
  )
  return {
    ...(answers.length > 0 ? Object.fromEntries(answers) : { '2XX': { description: 'Done' } }),
    default: problemAnswer,
  }
}

const operationOf = ({ method, path, hooks }: Route) => {
  const { detail = {}, body, query, params, answers = {} } = (hooks ?? {}) as Hooks
  const access = String(detail['x-access'])
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, c: string | undefined) => (c ?? '').toUpperCase())}`,
    ...(typeof detail.summary === 'string' && { summary: detail.summary }),
    'x-access': access,
    ...(access.startsWith('open: ') ? { security: [] } : {}),
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    ...(isSchema(body) && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: responsesOf(answers),
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
    const path = route.path.replace(/\/$/, '').replace(/:(\w+)/g, '{$1}')
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
      schemas: { Problem: problemSchema },
    },
  }
}
