// PocketBase with one record and one protected file that only their owner may read.
import { join } from 'node:path'
import { freePort } from '../redis'
import type { Load, LoadOf } from './measure'
import { installPeers, peers } from './peers'
import { end, newFolder, removeFolder, spawn } from './processes'

const version = '0.22.20-4'
const admin = { identity: 'bench@example.com', password: 'a password for the benchmark' }
const mine = 'owner = @request.auth.id'

const startProcess = async () => {
  const name = `pocketbase-linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
  await installPeers(`${name}@${version}`)
  const binary = join(peers, 'node_modules', name, 'pocketbase')
  const folder = newFolder()
  // It keeps what it calls migrations beside its data, and applies them to the next that comes.
  const run = (...args: string[]) => spawn([binary, ...args, '--dir', join(folder, 'data')], { isQuiet: true })
  // It answers 0 whether or not it did as told: what it lacks shows at the first call.
  await run('migrate', 'up').exited
  await run('admin', 'create', admin.identity, admin.password).exited
  const url = `http://127.0.0.1:${await freePort()}`
  const server = run('serve', '--http', url.slice('http://'.length))
  const stop = async () => {
    await end(server)
    removeFolder(folder)
  }
  for (let tries = 0; !(await fetch(`${url}/api/health`).catch(() => null)); tries++) {
    if (tries > 400) throw await stop().then(() => new Error('PocketBase did not start'))
    await Bun.sleep(25)
  }
  return { url, pid: server.pid, stop }
}

const callerOf = (url: string) => {
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent
  return async (method: string, path: string, body: object | FormData, token = ''): Promise<any> => {
    const isForm = body instanceof FormData
    const headers = { authorization: token, ...(!isForm && { 'content-type': 'application/json' }) }
    const response = await fetch(url + path, { method, headers, body: isForm ? body : JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
}
type Call = ReturnType<typeof callerOf>

const makeCollections = async (call: Call): Promise<string> => {
  const { token } = await call('POST', '/api/admins/auth-with-password', admin)
  const owner = { name: 'owner', type: 'text' }
  const make = (name: string, field: object) =>
    call('POST', '/api/collections', { name, type: 'base', viewRule: mine, schema: [owner, field] }, token)
  await make('notes', { name: 'text', type: 'text' })
  const options = { maxSelect: 1, maxSize: 1 << 20, protected: true }
  await make('files', { name: 'file', type: 'file', options })
  // Two minutes otherwise, which a measurement outlasts.
  await call('PATCH', '/api/settings', { recordFileToken: { secret: 'x'.repeat(50), duration: 86_400 } }, token)
  return token
}

/** `record`, by its owner's token; `file` of `bytes`, by the file token that its owner asked for. */
export const startPocketBase = async (
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1),
): Promise<{ record: LoadOf; file: Load; stop(): Promise<void> }> => {
  const { url, pid, stop } = await startProcess()
  try {
    const call = callerOf(url)
    const token = await makeCollections(call)
    const password = 'a password of a user'
    const someone = { username: 'bench', password, passwordConfirm: password }
    const user = await call('POST', '/api/collections/users/records', someone, token)
    const note = await call('POST', '/api/collections/notes/records', { text: 'x'.repeat(600), owner: user.id }, token)
    const form = new FormData()
    form.append('owner', user.id)
    form.append('file', new Blob([bytes]), 'bench.bin')
    const kept = await call('POST', '/api/collections/files/records', form, token)
    const signedIn = await call('POST', '/api/collections/users/auth-with-password', { identity: 'bench', password })
    const fileToken = (await call('POST', '/api/files/token', {}, signedIn.token)).token
    return {
      record: {
        url: `${url}/api/collections/notes/records/${note.id}`,
        headers: { authorization: signedIn.token },
        pid,
      },
      file: { url: `${url}/api/files/files/${kept.id}/${kept.file}?token=${fileToken}`, headers: {} },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
