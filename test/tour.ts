// The two-minute story against a running server in development: `bun run tour [url]`.
import { bearer, newCaller } from './story'

const origin = (process.argv[2] ?? 'http://localhost:3000').replace(/\/$/, '')
const { call, send, codeFor } = newCaller(origin)

let step = 0
const tell = (title: string, ...lines: string[]) =>
  console.log([`\n${++step}. ${title}`, ...lines.map((line) => `   ${line}`)].join('\n'))
const shorten = (secret: string) => `${secret.slice(0, 12)}…`

const signIn = async (email: string): Promise<string> => {
  const started = await call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
  tell('Ask for a code', `POST /api/auth/start { email: ${email} }`, `202 challenge ${shorten(started.challenge_id)}`)
  const code = await codeFor(email)
  tell(
    'Read it in the inbox, where development shows mail instead of sending it',
    'GET /inbox.json',
    `200 code ${code}`,
  )
  const { challenge_id, binding } = started
  const { user, session, token } = await call('POST', '/api/auth/verify', 200, {
    json: { challenge_id, binding, code },
  })
  tell('Redeem it for a session', 'POST /api/auth/verify', `200 ${user.id} in ${session.id}`)
  await call('POST', '/api/auth/verify', 400, { json: { challenge_id, binding, code } })
  console.log('   400 invalid_or_expired: the same code a second time')
  return token
}

const makeKey = async (token: string) => {
  const workspace = await call('POST', '/api/workspaces', 201, { headers: bearer(token), json: { name: 'Tour' } })
  tell('Make a workspace', 'POST /api/workspaces { name: Tour }', `201 ${workspace.id}, you are its ${workspace.role}`)
  const headers = { ...bearer(token), 'x-workspace-id': workspace.id }
  const key = await call('POST', '/api/keys', 201, { headers, json: { name: 'Tour', level: 'write' } })
  tell('Make an API key in it; this answer alone shows it', 'POST /api/keys', `201 ${key.id}: ${shorten(key.token)}`)
  return { headers, key }
}

const useMedia = async (key: Record<string, string>) => {
  const headers = { ...key, 'content-type': 'text/plain', 'x-file-name': 'tour.txt' }
  const media = await call('POST', '/api/media', 201, {
    headers,
    body: 'Private, and streamed only to those who may see it.',
  })
  tell(
    'Upload a file with the key',
    'POST /api/media',
    `201 ${media.id}, ${media.size} bytes, sha256 ${shorten(media.sha256)}`,
  )
  const part = await send('GET', `/media/${media.id}`, { headers: { ...key, range: 'bytes=13-20' } })
  const text = await part.text()
  if (part.status !== 206 || text !== 'streamed') throw new Error(`The range came as ${part.status} ${text}`)
  tell(
    'Stream a range of it',
    `GET /media/${media.id}  Range: bytes=13-20`,
    `206 ${part.headers.get('content-range')}: “${text}”`,
  )
  const strange = await send('GET', `/media/${media.id}`)
  console.log(`   ${strange.status} to a stranger`)
}

const revoke = async (session: Record<string, string>, id: string, key: Record<string, string>) => {
  const receipt = await call('DELETE', `/api/keys/${id}`, 200, { headers: session })
  tell('Revoke the key', `DELETE /api/keys/${id}`, `200 ${JSON.stringify(receipt)}`)
  const refused = await call('GET', '/api/media', 401, { headers: key })
  tell('And it opens nothing any more', 'GET /api/media', `401 ${refused.code}`)
}

const token = await signIn(`tour-${crypto.randomUUID().slice(0, 8)}@example.com`)
const { headers, key } = await makeKey(token)
await useMedia(bearer(key.token))
await revoke(headers, key.id, bearer(key.token))
console.log(`\nThe same in a browser: ${origin} · the API: ${origin}/api/openapi.json`)
