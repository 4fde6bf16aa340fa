// Invitations over HTTP: sent by an admin, accepted by a session of the address.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Once } from '../../idempotency'
import { PageQuery } from '../../lib/page'
import { Accepted, Invitation, InvitationList, InvitationParams, Invite, OfferList } from './model'
import type { InvitationService } from './service'

export const invitationRoutes = (access: Access, invitations: InvitationService, once: Once) =>
  new Elysia({ name: 'invitations', prefix: '/api' })
    .use(access)
    .post(
      '/invitations',
      async ({ caller, actor, body, status }) => {
        const make = () => invitations.create(actor, body)
        return status(201, await once(caller, actor, body, make, (id) => invitations.get(actor, id)))
      },
      { access: 'invitation:create', body: Invite, response: { 201: Invitation } },
    )
    .get('/invitations', ({ actor, query }) => invitations.list(actor, query), {
      access: 'invitation:read',
      query: PageQuery,
      response: { 200: InvitationList },
    })
    .delete(
      '/invitations/:id',
      async ({ actor, params, status }) => {
        await invitations.revoke(actor, params.id)
        return status(204, undefined)
      },
      { access: 'invitation:revoke', params: InvitationParams },
    )
    .post('/invitations/:id/accept', ({ person, params }) => invitations.accept(person, params.id), {
      access: 'invitation:accept',
      params: InvitationParams,
      response: { 200: Accepted },
    })
    .get('/me/invitations', async ({ person }) => ({ data: await invitations.offers(person), next_cursor: null }), {
      access: 'account:read',
      response: { 200: OfferList },
    })
