// An instance in a folder of its own, with what a backup has to bring back: a person, keys, media. Backups by the command.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { copyFileSync, cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { createLog } from '../src/adapters/log-pino'
import { type Env, readConfig } from '../src/config'
import { startServer } from '../src/runtime/bun'
import { bearer, newCaller } from './story'
import { newFolder } from './template'

const root = join(import.meta.dir, '..')
const base = { LATCHKEY_PORT: '0', LATCHKEY_START_FLOOR_MS: '0', LATCHKEY_RATE_LIMITS: 'off' }

const command = [process.execPath, join(root, 'src/cli.ts')]

/** A server on `folder`, and a caller of it. */
export const serve = async (folder: string, more: Env = {}) => {
  const env = { ...base, LATCHKEY_DATA_DIR: folder, ...more }
  const program = { command, env: { PATH: process.env.PATH, ...env } }
  const settle = (port?: number) =>
    readConfig({ ...env, ...(port !== undefined && { LATCHKEY_PORT: `${port}` }) }, { source: 'source' })
  const running = await startServer(settle, createLog({ write: () => {} }), { program })
  return { ...newCaller(running.listening), stop: running.stop }
}

/** Starts a command of the program on `folder`. */
export const spawnCli = (folder: string, words: string[], env: Env = {}) =>
  Bun.spawn([...command, ...words], {
    cwd: root,
    env: { PATH: process.env.PATH, ...base, LATCHKEY_DATA_DIR: folder, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })

/** Runs it; what it said, and with which code it ended. */
export const cli = async (folder: string, words: string[], env: Env = {}) => {
  const child = spawnCli(folder, words, env)
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: out + err }
}

/** The most memory a process has held so far; what the system says when it ends counts its parent's as well. */
const peakOf = (pid: number): number => {
  try {
    return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Runs a command that must go well; how long it took and the most memory it held. */
export const measured = async (folder: string, words: string[], env: Env = {}) => {
  const began = performance.now()
  const child = spawnCli(folder, words, env)
  let peakMb = 0
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid))
  }, 20)
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  clearInterval(watch)
  const code = await child.exited
  if (code !== 0) throw new Error(out + err)
  return { ms: Math.round(performance.now() - began), peakMb: Math.round(peakMb) }
}

/** A folder with nothing in it but the master key of another. */
export const emptyFor = (folder: string) => {
  const empty = newFolder()
  copyFileSync(join(folder, 'master.key'), join(empty, 'master.key'))
  return empty
}
export const copyOf = (folder: string) => {
  const copy = join(newFolder(), 'copy')
  cpSync(folder, copy, { recursive: true })
  return copy
}
/** Alters the database in a folder that nobody serves. */
export const alter = (folder: string, sql: string) => {
  const file = new Libsql(join(folder, 'latchkey.db'))
  file.exec(sql)
  file.close()
}

/** Settings of a recipient and of the identity that opens what is for it. */
export const newPair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const raw = (der: Buffer) => der.subarray(-32).toString('base64')
  return {
    LATCHKEY_BACKUP_RECIPIENT: raw(publicKey.export({ format: 'der', type: 'spki' })),
    LATCHKEY_BACKUP_IDENTITY: raw(privateKey.export({ format: 'der', type: 'pkcs8' })),
  }
}

/** A new instance that is being served, with one person, two keys and two media. */
export const newInstance = async (more: Env = {}) => {
  const folder = newFolder()
  const server = await serve(folder, more)
  const { call, codeFor } = server
  const email = 'ada@example.com'
  const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
  const code = await codeFor(email)
  const { token } = await call('POST', '/api/auth/verify', 200, { json: { challenge_id, binding, code } })
  const headers = bearer(token)
  const upload = (body: Uint8Array<ArrayBuffer>) =>
    call('POST', '/api/media', 201, { headers: { ...headers, 'x-file-name': 'a.bin' }, body })
  const newKey = (name: string) => call('POST', '/api/keys', 201, { headers, json: { name } })
  const bytes = [200_001, 70].map((size) => new Uint8Array(randomBytes(size)))
  const media = [await upload(bytes[0]!), await upload(bytes[1]!)]
  /** Once the audit has heads. */
  const sealed = async () => {
    const file = new Libsql(join(folder, 'latchkey.db'))
    const heads = file.prepare<never[]>('select 1 from audit_heads limit 1')
    while (heads.all().length === 0) await Bun.sleep(20)
    file.close()
  }
  return { folder, ...server, headers, media, bytes, keys: [await newKey('one'), await newKey('two')], sealed }
}

/** A new instance that nobody serves any more, its audit with heads, and a backup of it. */
export const newBackup = async () => {
  const one = await newInstance()
  await one.sealed()
  await one.stop()
  const file = join(newFolder(), 'a.backup')
  const { code, said } = await cli(one.folder, ['backup', file])
  if (code !== 0) throw new Error(said)
  return { one, file }
}
