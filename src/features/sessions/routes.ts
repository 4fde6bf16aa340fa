// A person's own sessions over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
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
      async ({ person, params, status }) => {
        await sessions.end(person, params.id)
        return status(204, undefined)
      },
      { access: 'session:revoke', params: SessionParams },
    )
    .post('/revoke', async ({ person, body }) => ({ revoked: await sessions.endMany(person, body.which) }), {
      access: 'session:revoke',
      body: RevokeSessions,
      response: { 200: RevokedSessions },
    })
