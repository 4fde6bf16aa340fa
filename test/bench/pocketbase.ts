// PocketBase with one record that only its owner may read, and the owner's token.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../redis'
import type { Load } from './measure'
import { installPeers, peers } from './peers'

const version = '0.22.20-4'
const admin = { identity: 'bench@example.com', password: 'a password for the benchmark' }

export const startPocketBase = async (): Promise<{ load: Load; stop(): Promise<void> }> => {
  const name = `pocketbase-linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
  await installPeers(`${name}@${version}`)
  const binary = join(peers, 'node_modules', name, 'pocketbase')
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  // It keeps what it calls migrations beside its data, and applies them to the next that comes.
  const run = (...args: string[]) =>
    Bun.spawn([binary, ...args, '--dir', join(folder, 'data')], { stdout: 'ignore', stderr: 'ignore' })
  // It answers 0 whether or not it did as told: what it lacks shows at the first call.
  await run('migrate', 'up').exited
  await run('admin', 'create', admin.identity, admin.password).exited
  const url = `http://127.0.0.1:${await freePort()}`
  const server = run('serve', '--http', url.slice('http://'.length))
  const stop = async () => {
    server.kill()
    await server.exited
    rmSync(folder, { recursive: true, force: true })
  }
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent
  const post = async (path: string, body: object, token = ''): Promise<any> => {
    const headers = { 'content-type': 'application/json', authorization: token }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  try {
    for (let tries = 0; !(await fetch(`${url}/api/health`).catch(() => null)); tries++) {
      if (tries > 200) throw new Error('PocketBase did not start')
      await Bun.sleep(25)
    }
    const { token } = await post('/api/admins/auth-with-password', admin)
    const fields = [
      { name: 'text', type: 'text' },
      { name: 'owner', type: 'text' },
    ]
    await post(
      '/api/collections',
      { name: 'notes', type: 'base', viewRule: 'owner = @request.auth.id', schema: fields },
      token,
    )
    const password = 'a password of a user'
    const user = await post(
      '/api/collections/users/records',
      { username: 'bench', password, passwordConfirm: password },
      token,
    )
    const note = await post('/api/collections/notes/records', { text: 'x'.repeat(600), owner: user.id }, token)
    const signedIn = await post('/api/collections/users/auth-with-password', { identity: 'bench', password })
    return {
      load: { url: `${url}/api/collections/notes/records/${note.id}`, headers: { authorization: signedIn.token } },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
