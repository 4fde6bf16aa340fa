// better-auth on Bun, its database as durable as ours. As ours is measured: its own route for a session, its limits
// counted and never reached. Less: the functions behind, called in its process at /session and /key, limits off.
import { Database } from 'bun:sqlite'
import { load } from './peers'

const [{ betterAuth }, { getMigrations }, { apiKey }] = await Promise.all([
  load('better-auth'),
  load('better-auth/db/migration'),
  load('@better-auth/api-key'),
])
const database = new Database(`${process.env.LATCHKEY_DATA_DIR}/better-auth.db`)
database.exec('pragma journal_mode = wal; pragma synchronous = full')
const options = {
  ...{ database, secret: crypto.randomUUID() + crypto.randomUUID(), baseURL: 'http://127.0.0.1' },
  ...{ telemetry: { enabled: false }, logger: { disabled: true } },
  rateLimit: { enabled: true, window: 10, max: 1e9 },
  advanced: { ipAddress: { ipAddressHeaders: ['x-forwarded-for'] } },
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 86_400_000, maxRequests: 1e9 } })],
}
await (await getMigrations(options)).runMigrations()
const { api, handler } = betterAuth(options)
const person = { email: 'bench@example.com', password: crypto.randomUUID(), name: 'Bench' }
const { headers, response } = await api.signUpEmail({ body: person, returnHeaders: true })
const newKey = async (rateLimitEnabled: boolean) =>
  (await api.createApiKey({ body: { userId: response.user.id, name: 'Bench', rateLimitEnabled } })).key
const credentials = {
  cookie: headers.get('set-cookie').split(';')[0],
  ...{ counted: await newKey(true), uncounted: await newKey(false) },
}

const answers: Record<string, (request: Request) => Promise<unknown>> = {
  '/session': (request) => api.getSession({ headers: request.headers }),
  '/key': async (request) => {
    const proof = await api.verifyApiKey({ body: { key: request.headers.get('x-api-key') ?? '' } })
    return proof.valid ? proof : null
  },
  '/credentials': async () => credentials,
}
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/api/auth/')) return handler(request)
    const answer = await answers[pathname]?.(request)
    return Response.json(answer ?? null, { status: answer ? 200 : 401 })
  },
})
console.log(JSON.stringify({ listening: server.url.origin }))
