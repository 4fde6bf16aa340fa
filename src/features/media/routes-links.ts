// Link tickets over HTTP. What they open is served with the other media.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { type Once, shownOnce } from '../../idempotency'
import type { LinkService } from './links'
import { CreateLink, LinkParams, MediaParams, NewLink } from './model'

export const linkRoutes = (access: Access, links: LinkService, once: Once) =>
  new Elysia({ name: 'links' })
    .use(access)
    .post(
      '/api/media/:id/links',
      async ({ caller, actor, params, body, status }) =>
        status(201, await once(caller, actor, body, () => links.create(actor, params.id, body), shownOnce)),
      { access: 'link:create', params: MediaParams, body: CreateLink, response: { 201: NewLink } },
    )
    .delete(
      '/api/links/:id',
      async ({ actor, params, status }) => {
        await links.revoke(actor, params.id)
        return status(204, undefined)
      },
      { access: 'link:revoke', params: LinkParams },
    )
