// A person's own sessions over HTTP.
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
import { Fence, Receipt } from '../../receipt'
import { RevokedSessions, RevokeSessions, SessionList, SessionParams } from './model'
import type { SessionService } from './service'

export const sessionRoutes = (access: Access, sessions: SessionService) =>
  new Elysia({ name: 'sessions', prefix: '/api/sessions' })
    .use(access)
    .get('/', ({ person, query }) => sessions.list(person, query), {
      access: 'session:read',
      query: PageQuery,
      response: { 200: SessionList },
    })
    .delete(
      '/:id',
      async ({ person, params, query, status }) => {
        const receipt = await sessions.end(person, params.id, query)
        return receipt ? status(200, receipt) : status(204, undefined)
      },
      { access: 'session:revoke', params: SessionParams, query: Fence, response: { 200: Receipt, 204: z.undefined() } },
    )
    .post('/revoke', ({ person, body, query }) => sessions.endMany(person, body.which, query), {
      access: 'session:revoke',
      query: Fence,
      body: RevokeSessions,
      response: { 200: RevokedSessions },
    })
