// The programs that are measured, each a process of its own on a port of its own.
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { bearer, newCaller } from '../story'
import { end, newFolder, removeFolder, spawn } from './processes'

const root = join(import.meta.dir, '../..')

export type Server = { url: string; pid: number; stop(): Promise<void> }

/** Starts a program that says `"listening":"<url>"` in a line; what it writes goes to a file, as in earnest. */
export const startProgram = async (script: string, env: Record<string, string>): Promise<Server> => {
  const folder = newFolder()
  const log = join(folder, 'log')
  await Bun.write(log, '')
  const own = { LATCHKEY_DATA_DIR: folder, LATCHKEY_PORT: '0', LATCHKEY_START_FLOOR_MS: '0' }
  const child = spawn([process.execPath, join(root, script)], {
    env: { PATH: process.env.PATH ?? '', ...own, ...env },
    log,
  })
  const stop = async () => {
    await end(child)
    removeFolder(folder)
  }
  for (let tries = 0; tries < 800 && child.exitCode === null; tries++) {
    const url = /"listening":"([^"]+)"/.exec(await Bun.file(log).text())?.[1]
    if (url) {
      // Kept short, as by whoever keeps logs: what a file grows by is memory new to the machine, and dear.
      const rotation = setInterval(() => truncateSync(log), 500)
      void child.exited.then(() => clearInterval(rotation))
      return { url, pid: child.pid, stop }
    }
    await Bun.sleep(25)
  }
  await stop()
  throw new Error(`${script} did not start`)
}

/** Rate limits that are counted and never reached, as settings. */
export const countedLimits = async (folder: string): Promise<Record<string, string>> => {
  const classes = ['read', 'write', 'upload', 'stream']
  const endless = Object.fromEntries(classes.map((name) => [name, { limit: 1e9, seconds: 1 }]))
  const plans = join(folder, 'plans.json')
  await Bun.write(plans, JSON.stringify({ plans: { default: { workspace: endless, caller: endless } } }))
  return { LATCHKEY_RATE_LIMITS: plans }
}

/** With rate limits that are counted and never reached. */
export const startLatchkey = async (env: Record<string, string> = {}): Promise<Server> => {
  const folder = newFolder()
  const server = await startProgram('src/cli.ts', {
    LATCHKEY_ENV: 'development',
    ...(await countedLimits(folder)),
    ...env,
  })
  const stop = async () => {
    await server.stop()
    removeFolder(folder)
  }
  return { ...server, stop }
}

/** The yardstick: a route that answers `answer` with nothing around it. */
export const startBare = (answer: string) => startProgram('test/bench/bare.ts', { ANSWER: answer })

/** Somebody signed in, and a key of theirs. */
export const newCredentials = async (url: string) => {
  const { call, codeFor } = newCaller(url)
  const email = 'bench@example.com'
  const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
  const code = await codeFor(email)
  const { token } = await call('POST', '/api/auth/verify', 200, { json: { challenge_id, binding, code } })
  const json = { name: 'Bench', level: 'write' }
  const key = await call('POST', '/api/keys', 201, { headers: bearer(token), json })
  return { session: bearer(token), key: bearer(key.token as string) }
}
