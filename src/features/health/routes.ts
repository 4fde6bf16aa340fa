// The two probes over HTTP, and the API's own description.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { Alive, Ready } from './model'
import type { HealthService } from './service'

/** The exact targets that intake answers under any host, so that a probe needs no name for us. */
export const probes = (health: HealthService): Record<string, () => Response | Promise<Response>> => ({
  '/v1/health': () => Response.json(health.alive()),
  '/v1/health/ready': async () => {
    const ready = await health.ready()
    return Response.json(ready, { status: ready.status === 'ok' ? 200 : 503 })
  },
})

export const healthRoutes = (access: Access, health: HealthService, describe: () => object) =>
  new Elysia({ name: 'health' })
    .use(access)
    .get('/v1/health', () => health.alive(), { open: 'tells a probe that the process lives', response: { 200: Alive } })
    .get(
      '/v1/health/ready',
      async ({ status }) => {
        const ready = await health.ready()
        return status(ready.status === 'ok' ? 200 : 503, ready)
      },
      { open: 'tells a probe whether to send requests', response: { 200: Ready, 503: Ready } },
    )
    .get('/api/openapi.json', () => Response.json(describe()), { open: 'the API is described to anybody' })
