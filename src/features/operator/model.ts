// What an operator sees and sets: plans, credits and the health of the instance. Nothing that a tenant wrote.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { listOf } from '../../lib/page'
import { Quotas } from '../quotas/model'

export const TenantParams = z.strictObject({ id: idOf('wsp') })

/** Not even its name: that is the tenant's own. */
export const Tenant = z.object({ id: z.string(), plan: z.string(), credits: z.number(), created_at: z.string() })
export type Tenant = z.infer<typeof Tenant>
export const TenantList = listOf(Tenant)

export const TenantQuotas = Tenant.extend({ quotas: Quotas.shape.quotas })
export type TenantQuotas = z.infer<typeof TenantQuotas>

export const UpdateTenant = z
  .strictObject({
    plan: z.string().max(32).optional(),
    /** All credits ever given, not those that are left. */
    credits: z.int().min(0).optional(),
  })
  .refine(({ plan, credits }) => plan !== undefined || credits !== undefined, 'Say plan, credits or both')
export type UpdateTenant = z.infer<typeof UpdateTenant>

export const InstanceHealth = z.object({
  version: z.string(),
  status: z.enum(['ok', 'unavailable']),
  checks: z.record(z.string(), z.enum(['ok', 'failing'])),
  counts: z.object({ workspaces: z.number(), users: z.number() }),
  alerts: z.array(z.object({ code: z.string(), detail: z.string() })),
})
export type InstanceHealth = z.infer<typeof InstanceHealth>

const Rate = z.object({ limit: z.number(), seconds: z.number() })
export const PlanList = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      workspace: z.record(z.string(), Rate),
      caller: z.record(z.string(), Rate),
      quotas: z.record(z.string(), z.number().optional()),
    }),
  ),
})
export type PlanList = z.infer<typeof PlanList>
