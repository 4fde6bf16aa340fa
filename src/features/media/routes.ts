// Media over HTTP. The bytes stand outside /api, since tags and players ask for them.
import { Elysia } from 'elysia'
import { Failure } from '../../errors'
import type { Access } from '../../http/access'
import { slowestReaderSeconds } from '../../http/download'
import { actorOf } from '../../http/exchange'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
import { serve } from '../../http/serve'
import { PageQuery } from '../../lib/page'
import { Media, MediaList, MediaParams, MediaQuery, MediaVersionList, RenameMedia } from './model'
import type { MediaService } from './service'

// A page of another site may not show what a cookie opens, even to the person whose cookie it is.
const isForeign = ({ headers }: Request): boolean =>
  !headers.has('authorization') && headers.get('sec-fetch-site') === 'cross-site'

export const mediaRoutes = (access: Access, media: MediaService, identify: Identify, now: () => number) => {
  return new Elysia({ name: 'media' })
    .use(access)
    .get('/api/media', ({ actor, query }) => media.list(actor, query), {
      access: 'media:read',
      query: PageQuery,
      response: { 200: MediaList },
    })
    .get('/api/media/:id', ({ actor, params }) => media.get(actor, params.id), {
      access: 'media:read',
      params: MediaParams,
      response: { 200: Media },
    })
    .patch('/api/media/:id', ({ actor, params, body }) => media.rename(actor, params.id, body), {
      access: 'media:update',
      params: MediaParams,
      body: RenameMedia,
      response: { 200: Media },
    })
    .get('/api/media/:id/versions', ({ actor, params, query }) => media.listVersions(actor, params.id, query), {
      access: 'media:read',
      params: MediaParams,
      query: PageQuery,
      response: { 200: MediaVersionList },
    })
    .delete(
      '/api/media/:id',
      async ({ actor, params, status }) => {
        await media.remove(actor, params.id)
        return status(204, undefined)
      },
      { access: 'media:delete', params: MediaParams },
    )
    .get(
      '/media/:id',
      async ({ caller, params, query, request }) => {
        const { link } = caller.identity
        if (!link && isForeign(request)) throw new Failure('not_found')
        const { row, read } = await media.open(params.id, judgeOf(caller, identify), {
          ...{ known: actorOf(caller), link, version: query.version },
        })
        caller.takeTime(slowestReaderSeconds)
        return serve(request, { facts: row, read, isShared: link !== undefined }, now())
      },
      { access: 'media:stream', params: MediaParams, query: MediaQuery },
    )
}
