// Latchkey as it runs, but that its mailer hands the code to the driver: what better-auth's does beside it.
import { createApp } from '../../src/app'
import { readConfig } from '../../src/config'
import { openPorts } from '../../src/runtime/ports'
import { newTestLog } from '../support'
import { createMailCodes } from './mail-codes'

const codes = createMailCodes()
let handler = (_request: Request, _from: string | null): Response | Promise<Response> => new Response(null)
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request, own) => codes.answer(request) ?? handler(request, own.requestIP(request)?.address ?? null),
})
const { config, secrets } = readConfig({ ...process.env, LATCHKEY_PORT: String(server.port) }, { source: 'source' })
const { ports } = await openPorts(config, secrets, newTestLog().log)
const send = async ({ to, text }: { to: string; text: string }) => {
  const code = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(text)?.[0]
  if (code) codes.sent(to, code)
}
const app = await createApp(config, { ...ports, mailer: { ...ports.mailer, send } })
app.start()
handler = (request, from) => app.fetch(request, () => from)
console.log(JSON.stringify({ listening: `http://127.0.0.1:${server.port}` }))
