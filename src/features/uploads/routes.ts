// Ways in over HTTP: a file in one request, and tus 1.0 (core, creation, creation-with-upload, termination, expiration,
// checksum) for those that may take several.
import { Elysia } from 'elysia'
import { z } from 'zod'
import { Failure } from '../../errors'
import type { Access } from '../../http/access'
import type { Exchange } from '../../http/exchange'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
import { invalidInput } from '../../http/problem'
import type { Once } from '../../idempotency'
import { httpDate } from '../../lib/http-date'
import type { Actor } from '../../permissions'
import { Media, MediaParams } from '../media/model'
import { unwrapForm } from './form'
import { AppendHeaders, CreateHeaders, RawHeaders, Upload, UploadParams } from './model'
import { checksums } from './part'
import { presentUpload, type Standing, type UploadService } from './service'
import type { WholeUploads } from './whole'

/** A file, or the next version of one, in one request. */
export const wholeUploadRoutes = (access: Access, upload: WholeUploads, identify: Identify) =>
  new Elysia({ name: 'whole-uploads' })
    .use(access)
    .post(
      '/api/media',
      async ({ actor, caller, headers, request, status }) => {
        const { sent, body } = await unwrapForm(headers, request.body)
        caller.takeTime()
        return status(201, await upload(actor, judgeOf(caller, identify), sent, body))
      },
      { access: 'media:create', parse: 'none', headers: RawHeaders, response: { 201: Media } },
    )
    .put(
      '/api/media/:id/content',
      async ({ actor, caller, headers, params, request }) => {
        if (headers.form !== null) throw new Failure('unsupported_type', 'Send the file itself')
        caller.takeTime()
        const replaced = { id: params.id, ifMatch: request.headers.get('if-match') }
        return upload(actor, judgeOf(caller, identify), headers, request.body, replaced)
      },
      { access: 'media:replace', parse: 'none', headers: RawHeaders, params: MediaParams, response: { 200: Media } },
    )

const version = '1.0.0'
const extensions = 'creation,creation-with-upload,termination,expiration,checksum'

/** What uploads here can do; asked for without a credential. */
const abilities = (maxBytes: number) => ({
  'tus-version': version,
  'tus-extension': extensions,
  'tus-max-size': String(maxBytes),
  'tus-checksum-algorithm': checksums.join(','),
})

const standingHeaders = ({ offset, expiresAt, mediaId }: Standing): Record<string, string> => ({
  'upload-offset': String(offset),
  'upload-expires': httpDate(expiresAt),
  // Where the file is that it became.
  ...(mediaId !== null && { 'content-location': `/api/media/${mediaId}` }),
})
const placeOf = ({ id }: Pick<Standing, 'id'>) => ({ location: `/api/uploads/${id}` })

/** What the headers of a request say, once it speaks tus. @throws Failure `precondition_failed`, `invalid` */
const heard = <T>(request: Request, schema: z.ZodType<T>): T => {
  if (request.headers.get('tus-resumable') !== version)
    throw new Failure('precondition_failed', 'Say Tus-Resumable: 1.0.0', { headers: { 'tus-version': version } })
  const result = schema.safeParse(Object.fromEntries(request.headers))
  if (!result.success) throw invalidInput(result.error.issues, 'headers')
  return result.data
}

/** Takes the first bytes, where they came along. What is begun has its place also where those failed. */
const beginWith = async (made: Standing, first: (() => Promise<Standing>) | null): Promise<Standing> => {
  try {
    return first ? await first() : made
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, detail, extra = {}, headers, cause } = error
    throw new Failure(code, detail, { extra, headers: { ...headers, ...placeOf(made) }, cause })
  }
}

type Asked = { actor: Actor; caller: Exchange; request: Request; params: { id: string } }

const handlersOf = (uploads: UploadService, identify: Identify, once: Once) => {
  const append = (asked: Asked, sent: AppendHeaders): Promise<Standing> => {
    const { actor, caller, params, request } = asked
    if (!sent.isChunk && request.body)
      throw new Failure('unsupported_type', 'Send bytes as application/offset+octet-stream')
    caller.takeTime()
    return uploads.append(actor, judgeOf(caller, identify), params.id, sent, request.body)
  }
  return {
    async create({ actor, caller, request }: Omit<Asked, 'params'>): Promise<Response> {
      const sent = heard(request, CreateHeaders)
      const { length, metadata } = sent
      const create = () => uploads.create(actor, sent)
      const made = await once(caller, actor, { length, metadata }, create, (id) => uploads.made(actor, id))
      const asked = { actor, caller, request, params: { id: made.id } }
      const hasFirst = request.body !== null || length === 0
      const standing = await beginWith(made, hasFirst ? () => append(asked, { ...sent, offset: 0 }) : null)
      return new Response(null, { status: 201, headers: { ...placeOf(made), ...standingHeaders(standing) } })
    },
    async append(asked: Asked): Promise<Response> {
      const standing = await append(asked, heard(asked.request, AppendHeaders))
      return new Response(null, { status: 204, headers: standingHeaders(standing) })
    },
    async remove({ actor, params, request }: Asked): Promise<Response> {
      heard(request, z.unknown())
      await uploads.remove(actor, params.id)
      return new Response(null, { status: 204 })
    },
  }
}

/** Uploads that go on where they left off (https://tus.io/protocols/resumable-upload, 1.0). */
export const uploadRoutes = (
  access: Access,
  uploads: UploadService,
  identify: Identify,
  once: Once,
  maxBytes: number,
) => {
  const able = () => new Response(null, { status: 204, headers: abilities(maxBytes) })
  const why = 'says what uploads here can do'
  const { create, append, remove } = handlersOf(uploads, identify, once)
  const one = { access: 'media:create', params: UploadParams } as const
  const stream = { ...one, parse: 'none' } as const

  return new Elysia({ name: 'uploads', prefix: '/api/uploads' })
    .use(access)
    .onTransform(({ set }) => {
      set.headers['tus-resumable'] = version
    })
    .options('/', able, { open: why })
    .options('/:id', able, { open: why, params: UploadParams })
    .post('/', ({ actor, caller, request }) => create({ actor, caller, request }), {
      access: 'media:create',
      parse: 'none',
    })
    .patch('/:id', ({ actor, caller, request, params }) => append({ actor, caller, request, params }), { ...stream })
    .delete('/:id', ({ actor, caller, request, params }) => remove({ actor, caller, request, params }), { ...one })
    .post(
      '/:id',
      ({ actor, caller, request, params }) => {
        const asked = { actor, caller, request, params }
        const method = request.headers.get('x-http-method-override')
        if (method === 'PATCH') return append(asked)
        if (method === 'DELETE') return remove(asked)
        throw new Failure('method_not_allowed', undefined, { headers: { allow: 'DELETE, GET, HEAD, OPTIONS, PATCH' } })
      },
      { ...stream },
    )
    .get(
      '/:id',
      async ({ actor, caller, params, request, set }) => {
        heard(request, z.unknown())
        caller.takeTime()
        const row = await uploads.show(actor, judgeOf(caller, identify), params.id)
        const metadata = row.metadata ? { 'upload-metadata': row.metadata } : {}
        Object.assign(set.headers, { ...standingHeaders(row), 'upload-length': String(row.length), ...metadata })
        return presentUpload(row)
      },
      { ...one, response: { 200: Upload } },
    )
}
