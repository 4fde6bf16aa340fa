// What the API's description says of operations that no schema of theirs does: raw bodies, headers, and what answers mean.
import { type Permission, scopeOf } from '../permissions'

type Header = { required?: boolean; description: string }
type Wire = {
  headers?: Record<string, Header>
  /** Types of a body that is no JSON, and what it is. */
  body?: { types: readonly string[]; required: boolean; description: string }
  /** By status; a status of 4XX is a problem. */
  answers?: Record<string, string>
}

const once = {
  'Idempotency-Key': {
    description:
      'Sent again with it within 24 hours, the same request makes nothing twice; what is shown once is not shown again',
  },
} as const

const digest = {
  'Content-Digest': { description: '`sha-256=:…:` (RFC 9530): refused where the bytes are others' },
  'Upload-Checksum': { description: '`sha256 …`, in base64: the same' },
} as const
const fileName = {
  'X-File-Name': { description: 'The name, percent-encoded where it is not ASCII; `untitled` without it' },
} as const
const ifMatch = { 'If-Match': { description: 'The `ETag` that was seen: 412 where it is another now' } } as const

const tus = { 'Tus-Resumable': { required: true, description: '`1.0.0`' } } as const
const chunkChecksum = {
  'Upload-Checksum': { description: '`sha1 …` or `sha256 …` of this body, in base64: on 460 nothing of it is kept' },
} as const
const offset = {
  'Upload-Offset': { required: true, description: 'Where this body begins: what the server said last' },
} as const
const chunk = ['application/offset+octet-stream'] as const
const told = 'The answer says `Upload-Offset`, `Upload-Expires`, and `Content-Location` once it is a file'

const wires: Record<string, Wire> = {
  'DELETE /api/me': {
    answers: {
      202: 'The sign-in is not fresh: a code goes to the mailbox, and `POST /api/auth/verify` with it deletes',
      204: 'Deleted at once: the sign-in is fresh (ten minutes)',
    },
  },
  ...Object.fromEntries(
    ['/workspaces', '/projects', '/invitations', '/keys', '/keys/:id/rotate', '/media/:id/links'].map((path) => [
      `POST /api${path}`,
      { headers: once },
    ]),
  ),
  'POST /api/media': {
    headers: { ...fileName, ...digest },
    body: {
      types: ['*/*', 'multipart/form-data'],
      required: true,
      description: 'The bytes, their type as `Content-Type`; or a form with one file, without a digest',
    },
  },
  'PUT /api/media/:id/content': {
    headers: { ...ifMatch, ...digest },
    body: { types: ['*/*'], required: true, description: 'The bytes, their type as `Content-Type`; no form' },
    answers: { 412: 'The file is not what was seen any more' },
  },
  'GET /media/:id': {
    headers: {
      Range: { description: 'One part, as `bytes=0-1023` or `bytes=-500`' },
      'If-Range': {
        description: 'The `ETag` or `Last-Modified` of what is held: all of the file where it is another now',
      },
      'If-None-Match': { description: 'The `ETag` that is held: 304 where it still is that' },
      'If-Modified-Since': { description: 'The same by `Last-Modified`' },
      ...ifMatch,
      'If-Unmodified-Since': { description: 'The same by `Last-Modified`' },
    },
    answers: {
      200: 'All of the file, with `ETag` and `Last-Modified`. `HEAD` answers without the bytes',
      206: 'The part, with `Content-Range`. Players may be given less than they asked for, and ask for the next',
      304: 'It is what is held',
      412: 'It is not what was seen',
      416: 'No such part: `Content-Range` says the size',
    },
  },
  'POST /api/uploads': {
    headers: {
      ...tus,
      'Upload-Length': { required: true, description: 'Bytes of all of it' },
      'Upload-Metadata': {
        description: '`filename`, `filetype`, `media_id` for the next version of that file: `key base64,…`',
      },
      ...chunkChecksum,
      ...once,
    },
    body: { types: chunk, required: false, description: 'The first bytes, or none yet' },
    answers: { 201: `Begun at \`Location\`. ${told}` },
  },
  'GET /api/uploads/:id': { headers: tus, answers: { 200: `${told}. \`HEAD\` answers the same without the JSON` } },
  'PATCH /api/uploads/:id': {
    headers: { ...tus, ...offset, ...chunkChecksum },
    body: { types: chunk, required: true, description: 'The next bytes' },
    answers: {
      204: `Durable. ${told}`,
      409: 'It stands elsewhere: `Upload-Offset` says where to go on',
      423: 'Another request is writing to it: try again',
      460: 'The checksum is that of other bytes: nothing of this body is kept',
    },
  },
  'DELETE /api/uploads/:id': { headers: tus, answers: { 204: 'Ended; a file that it became stays' } },
  'POST /api/uploads/:id': {
    headers: {
      'X-HTTP-Method-Override': { required: true, description: '`PATCH` or `DELETE`: then as that' },
      ...tus,
      'Upload-Offset': { description: offset['Upload-Offset'].description },
      ...chunkChecksum,
    },
    body: { types: chunk, required: false, description: 'The next bytes' },
    answers: { 204: 'As that' },
  },
}

/** Named once in the document, and taken wherever a route asks for something of a workspace. */
export const placeHeaders: Record<string, Header> = {
  'X-Workspace-Id': {
    description: 'Which workspace a session works in; not needed where it has only one, nor with a key',
  },
  'X-Project-Id': { description: 'Which project, by id or slug; else the only one, or the default one' },
  'X-Namespace': { description: 'The same as X-Project-Id' },
}

export const headerParameter = (name: string, { required = false, description }: Header) => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
})

const isOfAWorkspace = (access: string): boolean =>
  !access.startsWith('open: ') && ['workspace', 'any'].includes(scopeOf(access as Permission))

/** Of one operation, named `METHOD /path`: the parameters, request body and meanings of answers that stand here. */
export const wireOf = (name: string, access: string) => {
  const { headers = {}, body, answers = {} } = wires[name] ?? {}
  const places = isOfAWorkspace(access) ? Object.keys(placeHeaders) : []
  return {
    parameters: [
      ...Object.entries(headers).map(([header, told]) => headerParameter(header, told)),
      ...places.map((header) => ({ $ref: `#/components/parameters/${header}` })),
    ],
    requestBody: body && {
      required: body.required,
      description: body.description,
      content: Object.fromEntries(body.types.map((type) => [type, {}])),
    },
    answers,
  }
}
