// Every route, walked: nobody is let in anywhere it does not say so, and nothing leaves that its schema does not list.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { assertEveryRouteDeclaresAccess, createAccess } from '../src/http/access'
import { createCors } from '../src/http/cors'
import { newId } from '../src/lib/id'
import { ofLevel, ofRole, type Permission, scopeOf } from '../src/permissions'
import { type Client, type TestApp, testApp } from './support'

type Walked = { method: string; path: string; need: Permission; target: string }

let t: TestApp
let walked: Walked[]
let open: Walked[]

const kinds = {
  sessions: 'ses',
  workspaces: 'wsp',
  projects: 'prj',
  members: 'usr',
  keys: 'key',
  media: 'med',
  uploads: 'upl',
  devices: 'dev',
  invitations: 'inv',
  links: 'lnk',
} as const

/** The route's path with ids of the right kind that name nothing. */
const targetOf = (path: string) => {
  const kind = kinds[path.split('/').find((part) => part in kinds) as keyof typeof kinds]
  return path
    .replace(/\/$/, '')
    .replace(/:\w+/, kind ? newId(kind) : 'x')
    .replace(':user_id', newId('usr'))
}

beforeAll(async () => {
  t = await testApp()
  const all = t.app.routes.map(({ method, path, hooks }) => {
    const need = (hooks as { detail: Record<string, string> }).detail['x-access'] as Permission
    return { method, path, need, target: targetOf(path) }
  })
  walked = all.filter(({ need }) => !need.startsWith('open: '))
  open = all.filter(({ need }) => need.startsWith('open: '))
})
afterAll(() => t.stop())

/** A body that nobody has read says so. */
const unread = () => {
  let pulled = false
  const stream = new ReadableStream(
    {
      pull: (controller) => {
        pulled = true
        controller.enqueue(new TextEncoder().encode('{}'))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, wasRead: () => pulled }
}

describe('every route', () => {
  test('is known: the public ones are these and no others', () => {
    expect(open.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'GET /api/docs',
      'GET /api/docs.css',
      'GET /api/openapi.json',
      'GET /v1/health',
      'GET /v1/health/ready',
      'OPTIONS /api/uploads/',
      'OPTIONS /api/uploads/:id',
      'POST /api/auth/link',
      'POST /api/auth/resend',
      'POST /api/auth/start',
      'POST /api/auth/verify',
      'POST /api/leaks',
    ])
    expect(walked.length).toBeGreaterThan(25)
  })

  test('answers nobody with 401, its body unread, whatever they send as a credential', async () => {
    const strangers: Record<string, string>[] = [
      {},
      { authorization: 'Bearer ' },
      { authorization: 'Basic YTpi' },
      { authorization: `Bearer ml_live_${'a'.repeat(46)}` },
      { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' },
      { cookie: 'session=nonsense', origin: 'http://localhost:3000' },
    ]
    for (const { method, target } of walked)
      for (const headers of strangers) {
        const { stream, wasRead } = unread()
        const body = method === 'GET' || method === 'HEAD' ? {} : { raw: stream }
        const answer = await t.fetch(method, target, {
          headers: { 'content-type': 'application/json', ...headers },
          ...body,
        })
        expect([method, target, headers, answer.status, wasRead()]).toEqual([method, target, headers, 401, false])
        if (method !== 'HEAD') expect(await answer.json()).toMatchObject({ code: 'unauthenticated' })
      }
  })

  test('answers whoever lacks its permission with 403 before it reads the body, and whoever has it with something else', async () => {
    const [admin, viewer] = [await t.as('admin'), await t.as('viewer')]
    const { body: key } = await admin.post('/api/keys', { name: 'reader', level: 'read' })
    const reader = t.clientOf({ authorization: `Bearer ${key.token}` })
    const status = async (who: Client, { method, target }: Walked) =>
      (
        await t.fetch(method, target, {
          headers: { ...who.headers, 'content-type': 'application/json' },
          ...(method === 'GET' || method === 'HEAD' ? {} : { raw: '{}' }),
        })
      ).status
    const ends = ['POST /api/auth/sign-out', 'DELETE /api/me']
    for (const route of walked.filter(({ method, path }) => !ends.includes(`${method} ${path}`))) {
      const [asViewer, asReader] = [await status(viewer, route), await status(reader, route)]
      // These two let everybody do something to themselves; to others, the service refuses.
      if (['member:leave', 'key:revoke-self'].includes(route.need)) continue
      const isAccount = scopeOf(route.need) === 'any' || scopeOf(route.need) === 'account'
      const viewerMay = isAccount || ofRole.viewer.has(route.need)
      const readerMay = scopeOf(route.need) === 'any' || ofLevel.read.has(route.need)
      expect([route, asViewer === 403, asReader === 403]).toEqual([route, !viewerMay, !readerMay])
    }
  })

  test('says what each of its answers holds: a schema for every success, so that a new column never leaks', () => {
    const streams = [
      'GET /media/:id',
      'HEAD /media/:id',
      'GET /api/openapi.json',
      'GET /api/docs',
      'GET /api/docs.css',
      'GET /api/audit/export',
      'GET /api/workspaces/:id/export',
    ]
    const bare = ['OPTIONS', 'POST', 'PATCH'].flatMap((m) => [`${m} /api/uploads/`, `${m} /api/uploads/:id`])
    for (const { method, path, hooks } of t.app.routes) {
      const { answers = {} } = hooks as { answers?: object }
      if (method === 'DELETE' || [...streams, ...bare].includes(`${method} ${path}`) || path === '/api/auth/sign-out')
        continue
      expect([method, path, Object.keys(answers).length > 0]).toEqual([method, path, true])
    }
  })
})

describe('the access macro', () => {
  const app = () => new Elysia({ precompile: true }).use(createAccess())

  test('lets no route start that declares nothing, nor a mount, a socket or a route of any method', () => {
    const start = (make: (a: ReturnType<typeof app>) => { routes: unknown }) => () =>
      assertEveryRouteDeclaresAccess(make(app()).routes as never)
    expect(
      start((a) => a.get('/ok', () => 1, { access: 'media:read' }).get('/also', () => 1, { open: 'why' })),
    ).not.toThrow()
    expect(start((a) => a.get('/bare', () => 1))).toThrow('GET /bare')
    expect(start((a) => a.get('/odd', () => 1, { access: 'media:fly' as Permission }))).toThrow('GET /odd')
    expect(start((a) => a.mount('/m', () => new Response('m')) as never)).toThrow('/m')
    expect(start((a) => a.ws('/s', { message: () => {} }) as never)).toThrow('/s')
    expect(start((a) => a.all('/all', () => 1, { open: 'why' }))).toThrow('/all')
  })

  test('alone yields whom a service demands: to a route that is open, or declares nothing, there is no actor', () => {
    // Told by tsc; run, it only has to build.
    app().get('/held', ({ actor, person }) => [actor.id, person.id], { access: 'media:read' })
    // @ts-expect-error: `open` gives only the caller
    app().get('/open', ({ actor }) => actor, { open: 'why' })
    // @ts-expect-error: nor a person
    app().get('/open', ({ person }) => person, { open: 'why' })
    // @ts-expect-error: what declares nothing is given nothing
    app().get('/bare', ({ actor }) => actor)
  })

  test('answers 500 to a request that did not come through intake', async () => {
    const served = app()
      .onError(({ error }) => new Response(String((error as { code?: string }).code)))
      .get('/x', () => 1, { access: 'media:read' })
    expect(await (await served.handle(new Request('http://localhost/x'))).text()).toBe('internal')
  })

  test('keeps a column that the schema does not list out of the answer', async () => {
    const row = { id: 'x', planted: 'canary' } as { id: string }
    const served = app()
      .get('/one', () => row, { open: 'test', response: { 200: z.object({ id: z.string() }) } })
      .post('/two', ({ status }) => status(201, row), { open: 'test', response: { 201: z.object({ id: z.string() }) } })
    const { createIntake } = await import('../src/http/intake')
    const none = () => ({ person: null, actor: null, refusal: 'unauthenticated' }) as const
    const origins = { any: () => {}, byCookie: () => {}, byPage: () => {} }
    const { clock, log } = t.ports
    const intake = createIntake({
      app: served.fetch,
      isOurHost: () => true,
      origins,
      cors: createCors(() => false),
      identify: none,
      denied: () => {},
      clock,
      log,
      defaults: new Headers(),
      probes: {},
    })
    for (const [method, path] of [
      ['GET', '/one'],
      ['POST', '/two'],
    ] as const) {
      const answer = await intake(new Request(`http://localhost${path}`, { method }), () => null)
      expect(await answer.json()).toEqual({ id: 'x' })
    }
  })
})
