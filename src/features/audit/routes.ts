// The audit over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { actorOf } from '../../http/exchange'
import type { Identify } from '../../http/identify'
import { AuditList, AuditQuery, ExportQuery, Verification } from './model'
import type { AuditService } from './service'

export const auditRoutes = (access: Access, audit: AuditService, identify: Identify) =>
  new Elysia({ name: 'audit', prefix: '/api/audit' })
    .use(access)
    .get('/', ({ actor, query }) => audit.list(actor, query), {
      access: 'audit:read',
      query: AuditQuery,
      response: { 200: AuditList },
    })
    .get('/verify', ({ actor }) => audit.verifyWorkspace(actor), {
      access: 'audit:read',
      response: { 200: Verification },
    })
    .get(
      '/export',
      async ({ actor, caller, query }) => {
        const judge = async (workspace: string) => actorOf(caller, await identify(caller.request, workspace))
        const { type, name, body } = await audit.export(actor, judge, query)
        return new Response(body, {
          headers: { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` },
        })
      },
      { access: 'audit:read', query: ExportQuery },
    )
