// Members over HTTP.
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
import { Fence, Receipt } from '../../receipt'
import { MemberList, MemberParams, RemoveMember, UpdatedMember, UpdateMember } from './model'
import type { MemberService } from './service'

export const memberRoutes = (access: Access, members: MemberService) =>
  new Elysia({ name: 'members', prefix: '/api/members' })
    .use(access)
    .get('/', ({ actor, query }) => members.list(actor, query), {
      access: 'member:read',
      query: PageQuery,
      response: { 200: MemberList },
    })
    .patch('/:id', ({ actor, params, body, query }) => members.update(actor, params.id, body, query), {
      access: 'member:update',
      params: MemberParams,
      body: UpdateMember,
      query: Fence,
      response: { 200: UpdatedMember },
    })
    .delete(
      '/:id',
      async ({ actor, params, query, status }) => {
        const receipt = await members.remove(actor, params.id, query.revoke_keys === 'true', query)
        return receipt ? status(200, receipt) : status(204, undefined)
      },
      {
        access: 'member:leave',
        params: MemberParams,
        query: RemoveMember,
        response: { 200: Receipt, 204: z.undefined() },
      },
    )
