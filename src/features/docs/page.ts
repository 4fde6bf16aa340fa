// The API's own description as a page: HTML without a script, made from the OpenAPI document and nothing else.
import { escapeHtml } from '../../lib/html'
import { levels, ofLevel, ofPerson, ofRole, type Permission, roles, scopeOf } from '../../permissions'
import { typeOf } from './schema-text'

type Json = Record<string, unknown>
type Parameter = { name: string; in: string; required: boolean; description?: unknown; schema: unknown }
type Operation = {
  'x-access': string
  summary?: string
  /** What is named by reference goes for many operations: the head of the page tells it. */
  parameters: (Parameter | { $ref: string })[]
  requestBody?: unknown
  responses: Record<string, unknown>
}
export type Document = { info: { title: string; version: string }; paths: Record<string, Record<string, Operation>> }

const schemaIn = (holder: unknown): Json | undefined =>
  ((holder as Json | undefined)?.content as Record<string, { schema?: Json }> | undefined)?.['application/json']?.schema

const holders = (permission: Permission): string => {
  const scope = scopeOf(permission)
  if (scope === 'account') return 'any session'
  if (scope === 'operator') return 'an operator'
  const people = ofPerson.has(permission) ? ['any session'] : roles.filter((r) => ofRole[r].has(permission))
  const keys = levels.filter((l) => ofLevel[l].has(permission))
  return [...people, ...(keys.length > 0 ? [`keys of level ${keys.join(', ')}`] : ['no key'])].join(', ')
}

const accessLine = (access: string): string =>
  access.startsWith('open: ')
    ? `<p class="access">Open to anybody: ${escapeHtml(access.slice('open: '.length))}</p>`
    : `<p class="access"><code>${escapeHtml(access)}</code> ${escapeHtml(holders(access as Permission))}</p>`

/** A line of the description: what stands between backticks is code. */
const prose = (text: unknown): string => escapeHtml(String(text ?? '')).replace(/`([^`]+)`/g, '<code>$1</code>')

const row = ({ name, in: place, required, description, schema }: Parameter): string =>
  `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? '' : ', optional'}</td><td>${
    place === 'header' ? '' : `<code>${escapeHtml(typeOf(schema as Json))}</code> `
  }${prose(description)}</td></tr>`

/** A body or an answer: what it means, where that is said, and its shape, where it has one. */
const block = (title: string, holder: unknown): string => {
  const schema = schemaIn(holder)
  const { description = 'Done' } = (holder ?? {}) as { description?: string }
  const isSaid = description !== 'Done' && title !== 'Answer default'
  if (!schema && !isSaid) return ''
  const shape = schema ? `<pre>${escapeHtml(typeOf(schema))}</pre>` : ''
  return `<h4>${escapeHtml(title)}</h4>${isSaid ? `<p>${prose(description)}</p>` : ''}${shape}`
}

/** Names the types of a body that is no JSON. */
const bodyTitle = (body: unknown): string => {
  const { content = {} } = (body ?? {}) as { content?: Json }
  return ['Body', ...Object.keys(content).filter((type) => type !== 'application/json')].join(' · ')
}

const operationOf = (method: string, path: string, operation: Operation): string => {
  const { parameters, requestBody, responses, summary } = operation
  const rows = parameters.flatMap((parameter) => ('$ref' in parameter ? [] : [row(parameter)]))
  const answers = Object.entries(responses).map(([status, answer]) => block(`Answer ${status}`, answer))
  const id = `${method} ${path}`.replace(/[^a-z0-9]+/gi, '-').toLowerCase()
  return `<details id="${id}"><summary><b>${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code>${summary ? ` <span>${prose(summary)}</span>` : ''}</summary>
${accessLine(operation['x-access'])}
${rows.length > 0 ? `<table>${rows.join('')}</table>` : ''}${block(bodyTitle(requestBody), requestBody)}${answers.join('')}</details>`
}

/** The page for a document of ours. */
export const docsPage = ({ info, paths }: Document): string => {
  const areas = Map.groupBy(Object.entries(paths), ([path]) => path.split('/').slice(1, 3).join('/'))
  const sections = [...areas].map(([area, of]) => {
    const operations = of.flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => operationOf(method, path, operation)),
    )
    return `<section><h2>/${escapeHtml(area)}</h2>${operations.join('\n')}</section>`
  })
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)} API</title><link rel="stylesheet" href="/api/docs.css"></head>
<body><main><h1>${escapeHtml(info.title)} API <small>${escapeHtml(info.version)}</small></h1>
<p>Call with <code>Authorization: Bearer</code> and an API key or a session token. <code>X-Project-Id</code> (or
<code>X-Namespace</code>) picks a project by id or slug, <code>X-Workspace-Id</code> a session's workspace. Errors are
<code>application/problem+json</code> with a stable <code>code</code>. The same as data:
<a href="/api/openapi.json">openapi.json</a>.</p>
<p>Lists come in pages of <code>limit</code>: <code>next_cursor</code> of one is <code>cursor</code> for the next, and
<code>null</code> the end. What makes a workspace, project, invitation, key, link or upload takes an <code>Idempotency-Key</code>: sent
again with it, nothing is made twice. <code>step_up_required</code> asks for a fresh sign-in: <code>POST /api/auth/step-up</code>,
<code>POST /api/auth/verify</code> with the code of the mail, both as the same session, then the request again.</p>
${sections.join('\n')}</main></body></html>`
}

export const docsStyle = `:root { color-scheme: light dark; font: 0.9375rem/1.5 system-ui, sans-serif }
body { margin: 0; background: light-dark(#f6f6f3, #121513); color: light-dark(#1b1f1c, #e8ebe8) }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem 4rem }
small, .access, summary span, td:nth-child(2) { color: light-dark(#5a605b, #a3aba5); font-weight: normal }
h2 { font-size: 1.0625rem; margin: 2rem 0 0.5rem }
h4 { margin: 0.75rem 0 0.25rem; font-size: 0.8125rem }
a { color: light-dark(#0f6b5c, #63cbb4) }
details { background: light-dark(#fff, #1a1e1b); border: 1px solid light-dark(#dededa, #2d332f); border-radius: 0.5rem; margin: 0.25rem 0; padding: 0 0.75rem }
details[open] { padding-bottom: 0.75rem }
summary { cursor: pointer; padding: 0.5rem 0 }
summary span { margin-left: 0.5rem }
summary b { display: inline-block; min-width: 4.5rem; color: light-dark(#0f6b5c, #63cbb4); font-size: 0.8125rem }
code, pre { font: 0.8125rem/1.5 ui-monospace, Menlo, Consolas, monospace }
pre { background: light-dark(#efefeb, #0d100e); border-radius: 0.5rem; padding: 0.5rem 0.75rem; margin: 0; overflow: auto }
details p { margin: 0.25rem 0 }
td { padding: 0.125rem 1rem 0.125rem 0; vertical-align: top }
td:last-child { overflow-wrap: anywhere }
`
