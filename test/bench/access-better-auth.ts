// better-auth on Bun, its database as durable as ours: a session read by getSession at /session, a key proved by the api-key plugin at /key; its limits off.
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
  ...{ telemetry: { enabled: false }, rateLimit: { enabled: false }, logger: { disabled: true } },
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
}
await (await getMigrations(options)).runMigrations()
const { api } = betterAuth(options)
const person = { email: 'bench@example.com', password: crypto.randomUUID(), name: 'Bench' }
const { headers, response } = await api.signUpEmail({ body: person, returnHeaders: true })
const { key } = await api.createApiKey({ body: { userId: response.user.id, name: 'Bench' } })

const answers: Record<string, (request: Request) => Promise<unknown>> = {
  '/session': (request) => api.getSession({ headers: request.headers }),
  '/key': async (request) => {
    const proof = await api.verifyApiKey({ body: { key: request.headers.get('x-api-key') ?? '' } })
    return proof.valid ? proof : null
  },
  '/credentials': async () => ({ cookie: headers.get('set-cookie').split(';')[0], key }),
}
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const answer = await answers[new URL(request.url).pathname]?.(request)
    return Response.json(answer ?? null, { status: answer ? 200 : 401 })
  },
})
console.log(JSON.stringify({ listening: server.url.origin }))
