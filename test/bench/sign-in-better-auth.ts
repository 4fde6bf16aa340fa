// better-auth's e-mail OTP on Bun, with a database as durable as ours: WAL, and every commit synced.
import { Database } from 'bun:sqlite'
import { createMailCodes } from './mail-codes'
import { load } from './peers'

const [{ betterAuth }, { emailOTP }, { getMigrations }] = await Promise.all([
  load('better-auth'),
  load('better-auth/plugins'),
  load('better-auth/db/migration'),
])

const codes = createMailCodes()
const database = new Database(`${process.env.LATCHKEY_DATA_DIR}/better-auth.db`)
database.exec('pragma journal_mode = wal; pragma synchronous = full')
let handler = (_request: Request): Response | Promise<Response> => new Response(null)
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request) => codes.answer(request) ?? handler(request),
})
const sendVerificationOTP = async ({ email, otp }: { email: string; otp: string }) => codes.sent(email, otp)
const options = {
  ...{ database, secret: crypto.randomUUID() + crypto.randomUUID(), baseURL: server.url.origin },
  ...{ telemetry: { enabled: false }, rateLimit: { enabled: false }, logger: { disabled: true } },
  plugins: [emailOTP({ sendVerificationOTP })],
}
await (await getMigrations(options)).runMigrations()
handler = betterAuth(options).handler
console.log(JSON.stringify({ listening: server.url.origin }))
