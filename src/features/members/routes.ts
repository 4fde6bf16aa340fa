// Members over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
import { Member, MemberList, MemberParams, RemoveMember, UpdateMember } from './model'
import type { MemberService } from './service'

export const memberRoutes = (access: Access, members: MemberService) =>
  new Elysia({ name: 'members', prefix: '/api/members' })
    .use(access)
    .get('/', ({ actor, query }) => members.list(actor, query), {
      access: 'member:read',
      query: PageQuery,
      response: { 200: MemberList },
    })
    .patch('/:id', ({ actor, params, body }) => members.update(actor, params.id, body), {
      access: 'member:update',
      params: MemberParams,
      body: UpdateMember,
      response: { 200: Member },
    })
    .delete(
      '/:id',
      async ({ actor, params, query, status }) => {
        await members.remove(actor, params.id, query.revoke_keys === 'true')
        return status(204, undefined)
      },
      { access: 'member:leave', params: MemberParams, query: RemoveMember },
    )
