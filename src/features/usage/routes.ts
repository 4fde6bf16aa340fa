// Usage and quotas over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { Quotas } from '../quotas/model'
import type { QuotaService } from '../quotas/service'
import { UsageList, UsageQuery } from './model'
import type { UsageService } from './service'

export const usageRoutes = (access: Access, usage: UsageService, quotas: QuotaService) =>
  new Elysia({ name: 'usage', prefix: '/api/usage' })
    .use(access)
    .get('/', ({ actor, query }) => usage.list(actor, query), {
      access: 'usage:read',
      query: UsageQuery,
      response: { 200: UsageList },
    })
    .get('/quotas', ({ actor }) => quotas.show(actor.workspace.id), {
      access: 'usage:read',
      response: { 200: Quotas },
    })
