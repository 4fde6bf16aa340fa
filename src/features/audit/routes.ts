// The audit over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { AuditList, AuditQuery, Verification } from './model'
import type { AuditService } from './service'

export const auditRoutes = (access: Access, audit: AuditService) =>
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
