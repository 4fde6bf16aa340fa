// The composition root: services become routes and jobs. It refuses to start if a route lacks access.
import { type AnyElysia, Elysia } from 'elysia'
import { version } from '../package.json'
import type { Config } from './config'
import { accountRoutes } from './features/account/routes'
import { auditRoutes } from './features/audit/routes'
import { authRoutes } from './features/auth/routes'
import { deviceRoutes } from './features/devices/routes'
import { docsRoutes } from './features/docs/routes'
import { exportRoutes } from './features/export/routes'
import { healthRoutes, probes } from './features/health/routes'
import { invitationRoutes } from './features/invitations/routes'
import { keyRoutes, leakRoutes } from './features/keys/routes'
import { mediaRoutes } from './features/media/routes'
import { linkRoutes } from './features/media/routes-links'
import { memberRoutes } from './features/members/routes'
import { operatorRoutes } from './features/operator/routes'
import { projectRoutes } from './features/projects/routes'
import { sessionRoutes } from './features/sessions/routes'
import { uploadRoutes, wholeUploadRoutes } from './features/uploads/routes'
import { usageRoutes } from './features/usage/routes'
import { workspaceRoutes } from './features/workspaces/routes'
import { type Access, assertEveryRouteDeclaresAccess, createAccess, type Route } from './http/access'
import { safeHeaders } from './http/answer'
import { type Cookies, createCookies } from './http/cookie'
import { createCors } from './http/cors'
import { denialOf, type Exchange } from './http/exchange'
import { createIdentify, type Identify } from './http/identify'
import { createIntake } from './http/intake'
import { describeApi } from './http/openapi'
import { createHostGuard, createOriginGuard, type OriginGuard } from './http/origin-guard'
import { createErrorHandler } from './http/problem'
import { parseKeyToken } from './lib/key-token'
import { createNetworks } from './lib/networks'
import type { Tenancy } from './permissions'
import type { Clock, Log } from './ports'
import { createHeldCache } from './revocation'
import { createServices, type Ports, type Services } from './services'

const day = 86_400_000
const cacheEntries = 50_000

type Pages = (access: Access) => AnyElysia[]

/** Writes what is only noted in memory: now and then, and once more before the end. */
const flushesOf = ({ sessions, keys, usage, denials, reads }: Services) => [
  { name: 'sessions-seen', everyMs: 60_000, run: sessions.flushSeen },
  { name: 'keys-used', everyMs: 60_000, run: keys.flushUsed },
  { name: 'usage', everyMs: 60_000, run: usage.flush },
  { name: 'denials', everyMs: 5000, run: denials.flush },
  { name: 'reads', everyMs: 5000, run: reads.flush },
]

const addJobs = (s: Services, reloadKeys: () => Promise<void>) => {
  const { jobs, mail, audit, sweepMedia, hygiene, purge } = s
  for (const flush of flushesOf(s)) jobs.add({ ...flush, everywhere: true })
  jobs.add({ name: 'outbox', everyMs: 1000, run: mail.deliverDue })
  jobs.add({ name: 'old-usage', everyMs: day, long: true, run: s.usage.sweep })
  jobs.add({ name: 'seal', everyMs: 1000, run: audit.seal })
  jobs.add({ name: 'audit-heads', everyMs: 60_000, run: audit.publish })
  jobs.add({ name: 'audit-prune', everyMs: day, long: true, run: audit.prune })
  jobs.add({ name: 'sweep', everyMs: 3_600_000, run: s.sweepPeople })
  // Other nodes' new keys are known here before their time comes.
  jobs.add({ name: 'keyring', everyMs: 60_000, everywhere: true, run: reloadKeys })
  jobs.add({ name: 'revocations', everyMs: day, run: s.revocations.sweep })
  jobs.add({ name: 'media', everyMs: day, long: true, run: sweepMedia })
  jobs.add({ name: 'uploads', everyMs: 600_000, run: s.uploads.expire })
  jobs.add({ name: 'links', everyMs: 3_600_000, run: s.links.sweep })
  jobs.add({ name: 'unused-keys', everyMs: 3_600_000, long: true, run: hygiene.endUnused })
  jobs.add({ name: 'purge', everyMs: 3_600_000, long: true, run: purge })
  // Looks whether one is due.
  if (s.backups) jobs.add({ name: 'backup', everyMs: 300_000, long: true, run: s.backups.run })
}

type Http = {
  cookies: Cookies
  origins: OriginGuard
  identify: Identify
  defaults: Headers
  clock: Clock
  log: Log
  pages: Pages
}

const createRoutes = (config: Config, s: Services, { cookies, origins, identify, defaults, ...http }: Http) => {
  const { clock, log, pages } = http
  const settle = async (exchange: Exchange) => {
    exchange.identity = await identify(exchange.request)
  }
  const access = createAccess(s.gate, settle, defaults)
  const routes = (): readonly Route[] => app.routes
  const describe = () => describeApi(routes(), { origin: config.origin, version })
  const app = new Elysia({ precompile: true })
    .onError(createErrorHandler(routes, log) as never)
    .use(authRoutes(access, cookies, origins, s.auth, s.sessions))
    .use(accountRoutes(access, cookies, s.account))
    .use(sessionRoutes(access, s.sessions))
    .use(deviceRoutes(access, cookies, s.devices))
    .use(workspaceRoutes(access, s.workspaces, s.once))
    .use(projectRoutes(access, s.projects, s.projectMembers, s.once))
    .use(memberRoutes(access, s.members))
    .use(invitationRoutes(access, s.invitations, s.once))
    .use(keyRoutes(access, s.keys, s.once))
    .use(leakRoutes(access, s.hygiene))
    .use(wholeUploadRoutes(access, s.uploads.whole, identify))
    .use(uploadRoutes(access, s.uploads.service, identify, s.once, s.uploads.maxBytes))
    .use(mediaRoutes(access, s.media, identify, clock.now))
    .use(linkRoutes(access, s.links, s.once))
    .use(exportRoutes(access, s.archive, identify))
    .use(auditRoutes(access, s.audit, identify))
    .use(usageRoutes(access, s.usage, s.quotas))
    .use(operatorRoutes(access, s.operator))
    .use(healthRoutes(access, s.health, describe))
    .use(docsRoutes(access, describe))
  for (const page of pages(access)) app.use(page)
  assertEveryRouteDeclaresAccess(app.routes)
  return app
}

/** Who a request is made as: sessions, keys and the way into a workspace, each cached until revoked. */
const createIdentity = (config: Config, s: Services, clock: Clock, cookies: Cookies, origins: OriginGuard) => {
  const withPlan = async (tenancy: Tenancy): Promise<Tenancy> => {
    const plan = await s.quotas.planOf(tenancy.workspace.id)
    const workspace = { ...tenancy.workspace, plan }
    await s.usage.learnMonth(workspace)
    return { ...tenancy, workspace }
  }
  const person = async (held: Awaited<ReturnType<Services['sessions']['prove']>>) =>
    held && { ...held, value: { ...held.value, operator: await s.operator.isOperator(held.value.id) } }
  const key = async (held: Awaited<ReturnType<Services['keys']['prove']>>) => {
    if (!held) return null
    const { id, ipAllow } = held.value
    const tenancy = await withPlan(await s.workspaces.tenancyOfKey(held.value))
    return { ...held, value: { id, mayComeFrom: ipAllow && createNetworks(ipAllow), tenancy } }
  }
  return createIdentify({
    ...{ cookies, origins, keyPrefix: `${config.keyPrefix}_`, failures: s.failures },
    sessions: createHeldCache(s.revocations, clock, cacheEntries),
    isKey: (token) => parseKeyToken(config.keyPrefix, token) !== null,
    keys: createHeldCache(s.revocations, clock, cacheEntries),
    links: createHeldCache(s.revocations, clock, cacheEntries),
    entries: createHeldCache(s.revocations, clock, cacheEntries),
    proveSession: async (token) => person(await s.sessions.prove(token)),
    proveSessionOf: async (id) => person(await s.sessions.proveById(id)),
    proveKey: async (token) => key(await s.keys.prove(token)),
    proveKeyOf: async (workspaceId, id) => key(await s.keys.proveById(workspaceId, id)),
    proveLink: s.links.prove,
    enter: async (userId, workspace) => {
      const held = await s.workspaces.enter(userId, workspace)
      if (!held || !('tenancy' in held.value)) return held
      return { ...held, value: { ...held.value, tenancy: await withPlan(held.value.tenancy) } }
    },
    now: clock.now,
    sessionSeen: s.sessions.seen,
    keySeen: s.keys.touch,
  })
}

/** Builds the program. `pages` are further routes that the runtime brings: the console, the development inbox. */
export const createApp = async (config: Config, ports: Ports, pages: Pages = () => []) => {
  const { clock, log } = ports
  const services = createServices(config, ports)
  const cookies = createCookies({ secure: config.https })
  const defaults = safeHeaders(config.https)
  const origins = createOriginGuard(config.allowedOrigins)
  const identify = createIdentity(config, services, clock, cookies, origins)
  const app = createRoutes(config, services, { cookies, origins, identify, defaults, clock, log, pages })
  addJobs(services, ports.keyring.reload)
  const intake = createIntake({
    ...{ app: app.fetch, clock, log, origins, defaults, probes: probes(services.health) },
    isOurHost: createHostGuard(config.hosts, config.env === 'development'),
    cors: createCors((origin) => config.allowedOrigins.has(origin)),
    identify,
    denied: (exchange, status) => services.denials.note(denialOf(exchange, status)),
  })
  return {
    fetch: intake,
    routes: app.routes,
    services,
    /** Before the first request. */
    start: async () => {
      await services.feed.start()
      await services.jobs.start()
    },
    /**
     * Ends background work, for which it waits until `patience` ends, and once all requests are `served` writes what is
     * only noted in memory. Gives what could not be written, by name; never fails.
     */
    stop: async (served: Promise<unknown> = Promise.resolve(), patience?: Promise<unknown>): Promise<string[]> => {
      // Both first: a run under way may be writing the same notes.
      await Promise.all([served, services.jobs.stop(patience)])
      const last = [...flushesOf(services), { name: 'uploads', run: services.uploads.stop }]
      const flushes = last.map(({ name, run }) =>
        run().then(
          () => [],
          (error) => {
            log.error({ what: name, error }, 'not written before the end')
            return [name]
          },
        ),
      )
      const lost = (await Promise.all(flushes)).flat()
      await services.feed.stop()
      return lost
    },
  }
}
export type App = Awaited<ReturnType<typeof createApp>>
