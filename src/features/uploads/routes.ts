// Ways in over HTTP: a file in one request, and tus 1.0 (core, creation, creation-with-upload, termination, expiration,
// checksum) for those that may take several.
import { Elysia } from 'elysia'
import { z } from 'zod'
import { Failure } from '../../errors'
import type { Access } from '../../http/access'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
import { invalidInput } from '../../http/problem'
import { httpDate } from '../../lib/http-date'
import { Media } from '../media/model'
import { AppendHeaders, CreateHeaders, RawHeaders, Upload, UploadParams } from './model'
import { checksums } from './part'
import { presentUpload, type Standing, type UploadService } from './service'
import type { WholeUploads } from './whole'

/** A file in one request. */
export const wholeUploadRoutes = (access: Access, upload: WholeUploads, identify: Identify) =>
  new Elysia({ name: 'whole-uploads' }).use(access).post(
    '/api/media',
    async ({ actor, caller, headers, request, status }) => {
      caller.takeTime()
      return status(201, await upload(actor, judgeOf(caller, identify), headers, request.body))
    },
    { access: 'media:create', parse: 'none', headers: RawHeaders, response: { 201: Media } },
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

/** Begins with the first bytes, where they came along. What is begun has its place also where those failed. */
const beginWith = async (made: Standing, first: (() => Promise<Standing>) | null): Promise<Standing> => {
  try {
    return first ? await first() : made
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, detail, extra = {}, headers, cause } = error
    throw new Failure(code, detail, { extra, headers: { ...headers, ...placeOf(made) }, cause })
  }
}

/** Uploads that go on where they left off (https://tus.io/protocols/resumable-upload, 1.0). */
export const uploadRoutes = (access: Access, uploads: UploadService, identify: Identify, maxBytes: number) => {
  const able = () => new Response(null, { status: 204, headers: abilities(maxBytes) })
  const why = 'says what uploads here can do'
  const notChunk = () => new Failure('unsupported_type', 'Send bytes as application/offset+octet-stream')

  return new Elysia({ name: 'uploads', prefix: '/api/uploads' })
    .use(access)
    .onTransform(({ set }) => {
      set.headers['tus-resumable'] = version
    })
    .options('/', able, { open: why })
    .options('/:id', able, { open: why, params: UploadParams })
    .post(
      '/',
      async ({ actor, caller, request }) => {
        caller.takeTime()
        const [sent, { body }] = [heard(request, CreateHeaders), request]
        if (body && !sent.isChunk) throw notChunk()
        const made = await uploads.create(actor, sent)
        const first = () => uploads.append(actor, judgeOf(caller, identify), made.id, { ...sent, offset: 0 }, body)
        const standing = await beginWith(made, body || made.length === 0 ? first : null)
        return new Response(null, { status: 201, headers: { ...placeOf(made), ...standingHeaders(standing) } })
      },
      { access: 'media:create', parse: 'none' },
    )
    .patch(
      '/:id',
      async ({ actor, caller, params, request }) => {
        const sent = heard(request, AppendHeaders)
        if (!sent.isChunk) throw notChunk()
        caller.takeTime()
        const standing = await uploads.append(actor, judgeOf(caller, identify), params.id, sent, request.body)
        return new Response(null, { status: 204, headers: standingHeaders(standing) })
      },
      { access: 'media:create', parse: 'none', params: UploadParams },
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
      { access: 'media:create', params: UploadParams, response: { 200: Upload } },
    )
    .delete(
      '/:id',
      async ({ actor, params, request, status }) => {
        heard(request, z.unknown())
        await uploads.remove(actor, params.id)
        return status(204, undefined)
      },
      { access: 'media:create', params: UploadParams },
    )
}
