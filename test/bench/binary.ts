// The single binary: how soon it answers, what memory it takes when idle, and after a long time at half load.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../redis'
import { type Line, summarize } from './lines'
import { newFile } from './media'
import { installTools } from './peers'
import { end, type Scope, spawn, textOf } from './processes'
import { countedLimits, newCredentials } from './servers'

const root = join(import.meta.dir, '../..')
const binary = join(root, 'dist/latchkey')

/** Builds it where it is missing or older than its source. */
const build = async (): Promise<void> => {
  const built = statSync(binary, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = [...new Bun.Glob('{src,db}/**/*').scanSync({ cwd: root }), 'package.json', 'bun.lock']
  if (sources.every((path) => statSync(join(root, path)).mtimeMs < built)) return
  const child = spawn([process.execPath, 'run', 'build'], { cwd: root })
  if ((await child.exited) !== 0) throw new Error('the binary was not built')
}

/** Starts it on a folder; `coldMs` is the time to its first 200. */
const start = async (folder: string) => {
  const port = await freePort()
  const env = {
    ...{ LATCHKEY_ENV: 'development', LATCHKEY_DATA_DIR: folder, LATCHKEY_PORT: String(port) },
    ...{ LATCHKEY_START_FLOOR_MS: '0', ...(await countedLimits(folder)) },
  }
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  const child = spawn([binary, 'serve'], { env, log: join(folder, 'log') })
  const stop = () => end(child)
  for (;;) {
    if ((await fetch(`${url}/v1/health`).catch(() => null))?.status === 200) break
    if (child.exitCode !== null || performance.now() - began > 10_000) {
      await stop()
      throw new Error('the binary did not start')
    }
    await Bun.sleep(1)
  }
  return { url, pid: child.pid, coldMs: performance.now() - began, stop }
}

/** Megabytes that a process holds. */
const memoryOf = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await Bun.file(`/proc/${pid}/status`).text())?.[1]) / 1000

const alone = (what: string, unit: 'ms' | 'MB', atMost: number, ours: number[]): Line => ({
  ...{ what, against: '', unit, ours, theirs: [] },
  goal: { by: unit === 'ms' ? 'ms' : 'megabytes', atMost },
})

export const measureBinary = async (times: number, scope: Scope): Promise<Line[]> => {
  await build()
  const folder = scope.folder()
  await (await start(folder)).stop()
  const colds: number[] = []
  const memory: number[] = []
  for (let i = 0; i < times; i++) {
    const { coldMs, pid, stop } = await start(folder)
    colds.push(coldMs)
    if (i % 5 === 0) {
      await Bun.sleep(3000)
      memory.push(await memoryOf(pid))
    }
    await stop()
  }
  return [alone('binary: start to first 200', 'ms', 150, colds), alone('binary: memory idle', 'MB', 120, memory)]
}

/** What a product asks: sessions, keys, files, lists, and now and then a change. */
const mixOf = async (url: string) => {
  const { session, key } = await newCredentials(url)
  const file = await newFile(url, new Uint8Array(65_536), key)
  const path = new URL(file.url).pathname
  const table = (headers: Record<string, string>) =>
    `{${Object.entries(headers).map(([name, value]) => `["${name}"]="${value}"`)}}`
  const get = (target: string, headers = key) => `wrk.format("GET", "${target}", ${table(headers)})`
  const json = table({ ...key, 'content-type': 'application/json' })
  const rename = `wrk.format("PATCH", "/api${path}", ${json}, '{"name":"bench.bin"}')`
  return `local all, i, wait = {}, 0, 0
function init(args)
  wait = tonumber(args[1])
  local reads = {${[get('/api/whoami', session), get('/api/whoami'), get(path, file.headers), get('/api/media?limit=10')]}}
  for n = 1, 99 do all[n] = reads[n % 4 + 1] end
  all[100] = ${rename}
end
function request() i = i % 100 + 1 return all[i] end
function delay() return wait end`
}

const connections = 64

/** At half of what it can, with its memory each second; `tell` is told of it now and then. */
export const measureSoak = async (seconds: number, scope: Scope, tell: (text: string) => void): Promise<Line[]> => {
  await installTools('wrk')
  await build()
  const folder = scope.folder()
  const { url, pid } = await scope.use(start(folder))
  const script = join(folder, 'mix.lua')
  await Bun.write(script, await mixOf(url))
  const drive = async (forSeconds: number, waitMs: number) => {
    const command = ['wrk', '-t1', `-c${connections}`, `-d${forSeconds}s`, '-s', script, url, '--', String(waitMs)]
    const report = await textOf(command)
    if (report.includes('Non-2xx')) throw new Error(`the soak: ${report}`)
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1])
  }
  const full = await drive(5, 0)
  const seen: number[] = []
  const watching = setInterval(async () => {
    seen.push(await memoryOf(pid).catch(() => Number.NaN))
    if (seen.length % Math.ceil(seconds / 20) === 0) tell(`${seen.length} s: ${seen.at(-1)?.toFixed(0)} MB`)
  }, 1000)
  const half = await drive(seconds, Math.max(1, Math.round((2000 * connections) / full))).finally(() =>
    clearInterval(watching),
  )
  tell(`${half.toFixed(0)} of ${full.toFixed(0)} requests/s`)
  await Bun.sleep(15_000)
  const third = Math.floor(seen.length / 3)
  const [middle, last] = [seen.slice(third, 2 * third), seen.slice(2 * third)]
  const length = seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`
  return [
    alone(`binary: memory after ${length} of half load`, 'MB', 120, [await memoryOf(pid)]),
    {
      ...{
        what: 'binary: memory in its last third',
        against: 'the third before',
        unit: 'MB',
      },
      ...{ goal: { by: 'more', atMost: 1.1 }, ours: [summarize(last).median], theirs: [summarize(middle).median] },
    },
  ]
}
