// The programs that are measured, each a process of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bearer, newCaller } from '../story'

const root = join(import.meta.dir, '../..')

export type Server = { url: string; stop(): Promise<void> }

/** Starts a program that says `"listening":"<url>"` in a line; what it writes goes to a file, as in earnest. */
export const startProgram = async (script: string, env: Record<string, string>): Promise<Server> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  const log = join(folder, 'log')
  await Bun.write(log, '')
  const own = { LATCHKEY_DATA_DIR: folder, LATCHKEY_PORT: '0', LATCHKEY_START_FLOOR_MS: '0' }
  const child = Bun.spawn([process.execPath, join(root, script)], {
    env: { PATH: process.env.PATH ?? '', ...own, ...env },
    stdout: Bun.file(log),
    stderr: 'inherit',
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await child.exited
    rmSync(folder, { recursive: true, force: true })
  }
  for (let tries = 0; tries < 200; tries++) {
    const url = /"listening":"([^"]+)"/.exec(await Bun.file(log).text())?.[1]
    if (url) return { url, stop }
    await Bun.sleep(25)
  }
  await stop()
  throw new Error(`${script} did not start`)
}

/** With rate limits that are counted and never reached. */
export const startLatchkey = async (env: Record<string, string> = {}, limits: 'counted' | 'off' = 'counted') => {
  const endless = Object.fromEntries(['read', 'write'].map((name) => [name, { limit: 1e9, seconds: 1 }]))
  const plans = join(mkdtempSync(join(tmpdir(), 'latchkey-plans-')), 'plans.json')
  await Bun.write(plans, JSON.stringify({ plans: { default: { workspace: endless, caller: endless } } }))
  const rates = limits === 'off' ? 'off' : plans
  return startProgram('src/cli.ts', { LATCHKEY_ENV: 'development', LATCHKEY_RATE_LIMITS: rates, ...env })
}
export const startBare = (answer: string) => startProgram('test/bench/bare.ts', { ANSWER: answer })

/** Somebody signed in, and a key of theirs. */
export const newCredentials = async (url: string) => {
  const { call, codeFor } = newCaller(url)
  const email = 'bench@example.com'
  const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
  const code = await codeFor(email)
  const { token } = await call('POST', '/api/auth/verify', 200, { json: { challenge_id, binding, code } })
  const key = await call('POST', '/api/keys', 201, { headers: bearer(token), json: { name: 'Bench' } })
  return { session: bearer(token), key: bearer(key.token as string) }
}
