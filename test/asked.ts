// The routes that a request can be written for, each with the names that its query and its body take.
import { type Route, routesOf } from '../src/doctor/matrix'
import { samples } from '../src/doctor/samples'

type Json = Record<string, unknown>
type Operation = { parameters?: { name: string; in: string }[]; requestBody?: Json }
export type Asked = Route & { name: string; query: string[]; fields: string[] }

const fieldsOf = (operation: Operation): string[] => {
  const body = operation.requestBody as { content?: Record<string, { schema?: { properties?: Json } }> } | undefined
  return Object.keys(body?.content?.['application/json']?.schema?.properties ?? {})
}

/** Of the document at `/api/openapi.json`: those with a sample that anybody may send. */
export const askedRoutes = (document: Json): Asked[] => {
  const paths = document.paths as Record<string, Record<string, Operation>>
  return routesOf(document).flatMap((route) => {
    const name = `${route.method} ${route.path.replace(/\{(\w+)\}/g, ':$1')}`
    const operation = paths[route.path]![route.method.toLowerCase()]!
    const query = (operation.parameters ?? []).flatMap((p) => (p.in === 'query' ? [p.name] : []))
    const usable = samples[name] && samples[name].twin === undefined
    return usable ? [{ ...route, name, query, fields: fieldsOf(operation) }] : []
  })
}
