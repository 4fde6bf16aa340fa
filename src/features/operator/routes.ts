// Running the instance over HTTP, for people whose address the settings list.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
import { InstanceHealth, PlanList, TenantList, TenantParams, TenantQuotas, UpdateTenant } from './model'
import type { OperatorService } from './service'

export const operatorRoutes = (access: Access, operator: OperatorService) =>
  new Elysia({ name: 'operator', prefix: '/api/operator' })
    .use(access)
    .get('/health', ({ person }) => operator.health(person), {
      access: 'operator:read',
      response: { 200: InstanceHealth },
    })
    .get('/plans', ({ person }) => operator.plans(person), { access: 'operator:read', response: { 200: PlanList } })
    .get('/workspaces', ({ person, query }) => operator.list(person, query), {
      access: 'operator:read',
      query: PageQuery,
      response: { 200: TenantList },
    })
    .get('/workspaces/:id', ({ person, params }) => operator.get(person, params.id), {
      access: 'operator:read',
      params: TenantParams,
      response: { 200: TenantQuotas },
    })
    .patch('/workspaces/:id', ({ person, params, body }) => operator.update(person, params.id, body), {
      access: 'operator:update',
      params: TenantParams,
      body: UpdateTenant,
      response: { 200: TenantQuotas },
    })
