// Whatever the benchmark starts: it ends with it, however the benchmark ends, and its folders go too.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'

// On Linux the system ends them even where we are killed and cannot.
const tie = Bun.which('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []
const running = new Set<Subprocess>()
const folders = new Set<string>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const track = <Child extends Subprocess>(child: Child): Child => {
  running.add(child)
  void child.exited.then(() => running.delete(child))
  return child
}

type Options = { cwd?: string; env?: Record<string, string | undefined>; log?: string; isQuiet?: boolean }
/** What it says goes to the file `log`, or nowhere; its errors to ours, unless it is quiet. */
export const spawn = (command: string[], { cwd = '.', env = process.env, log, isQuiet = false }: Options = {}) => {
  const stdout = log === undefined ? 'ignore' : Bun.file(log)
  const stderr = isQuiet ? 'ignore' : 'inherit'
  return track(Bun.spawn([...tie, ...command], { cwd, env, stdin: 'ignore', stdout, stderr }))
}
/** What it says until it ends. @throws Error when that is not well */
export const textOf = async (command: string[]): Promise<string> => {
  const child = track(Bun.spawn([...tie, ...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' }))
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`${command[0]} failed: ${text}`)
  return text
}

/** Asks it to end, and ends it if it has not within 10 s. */
export const end = async (child: Subprocess): Promise<void> => {
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await child.exited
  clearTimeout(late)
}

const prefix = 'latchkey-bench-'
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
// What a run left that was killed: folders are named by their process.
for (const name of readdirSync(tmpdir()).filter((it) => it.startsWith(prefix)))
  if (!isAlive(Number.parseInt(name.slice(prefix.length), 10)))
    rmSync(join(tmpdir(), name), { recursive: true, force: true })

export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  folders.add(folder)
  return folder
}
export const removeFolder = (folder: string): void => {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
}

/** What is started for one part of the benchmark, and stopped after it, the last first. */
export const createScope = () => {
  const stops: (() => Promise<void>)[] = []
  return {
    use: async <S extends { stop(): Promise<void> }>(starting: S | Promise<S>): Promise<S> => {
      const started = await starting
      stops.push(() => started.stop())
      return started
    },
    /** A folder that is gone when the part is over. */
    folder: (): string => {
      const folder = newFolder()
      stops.push(async () => removeFolder(folder))
      return folder
    },
    close: async (): Promise<void> => {
      for (const stop of stops.reverse()) await stop()
    },
  }
}
export type Scope = ReturnType<typeof createScope>

/** `start` at the first call, its result at each. */
export const once = <T>(start: () => Promise<T>): (() => Promise<T>) => {
  let started: Promise<T> | undefined
  return () => {
    started ??= start()
    return started
  }
}
