// The audit over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { download } from '../../http/download'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
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
      ({ actor, caller, query }) => download(caller, audit.export(actor, judgeOf(caller, identify), query)),
      { access: 'audit:export', query: ExportQuery },
    )
