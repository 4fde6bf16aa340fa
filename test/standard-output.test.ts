// Standard output with a real FIFO: who reads the log slowly, or stops reading, holds nobody up.
import { afterEach, expect, test } from 'bun:test'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './redis'
import { newCaller } from './story'
import { newFolder } from './template'

const source = join(import.meta.dir, '../src')
const children: Bun.Subprocess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill(9)
    await child.exited
  }
})

/** A program whose standard output is a FIFO, and what takes of it as much as there is, up to so many bytes. */
const intoFifo = (program: string[], env: Record<string, string> = {}) => {
  const path = join(newFolder(), 'log')
  Bun.spawnSync(['mkfifo', path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const stdout = openSync(path, 'w')
  const child = Bun.spawn([process.execPath, ...program], { env, stdout, stdin: 'pipe', stderr: 'pipe' })
  closeSync(stdout)
  children.push(child)
  const piece = Buffer.alloc(1 << 16)
  const take = (bytes = piece.length): string => {
    try {
      return piece.toString('latin1', 0, readSync(reader, piece, 0, bytes, null))
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error
      return ''
    }
  }
  return { child, take }
}

/** Logs so many lines of about a hundred bytes, says so, and logs one more each time it is told to. */
const logging = (lines: number) =>
  intoFifo([
    '-e',
    `const { createLog } = await import('${source}/adapters/log-pino')
     const { standardOutput } = await import('${source}/adapters/standard-output')
     const log = createLog(standardOutput())
     for (let n = 0; n < ${lines}; n++) log.info({ n, pad: '${'.'.repeat(50)}' }, 'told')
     console.error('logged')
     for await (const _ of process.stdin) log.info({}, 'still here')`,
  ])
const parse = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const numbers = (length: number) => Array.from({ length }, (_, n) => n)

test('a server whose log nobody reads any more answers all the same, and stops in time', async () => {
  const port = await freePort()
  const { child, take } = intoFifo([join(source, 'cli.ts')], {
    LATCHKEY_PORT: `${port}`,
    LATCHKEY_DATA_DIR: newFolder(),
    LATCHKEY_START_FLOOR_MS: '0',
    LATCHKEY_RATE_LIMITS: 'off',
  })
  const { call } = newCaller(`http://127.0.0.1:${port}`)
  while (child.exitCode === null && !(await call('GET', '/v1/health', 200).catch(() => null))) await Bun.sleep(20)
  // More than a pipe holds.
  for (let n = 0; n < 20; n++) await Promise.all(numbers(100).map(() => call('GET', '/api/me', 401)))
  const from = performance.now()
  await call('GET', '/v1/health', 200)
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
  expect(performance.now() - from).toBeLessThan(4000)
  expect(take()).toContain('"started"')
}, 30_000)

test('a slow reader gets every line, whole and in order', async () => {
  const { child, take } = logging(6000)
  let read = ''
  while (!read.includes('"n":5999,')) {
    read += take(8192)
    await Bun.sleep(1)
  }
  child.stdin.end()
  expect(await child.exited).toBe(0)
  for (let more = take(); more; more = take()) read += more
  expect(parse(read).map(({ n }) => n)).toEqual(numbers(6000))
}, 30_000)

test('what ends while its reader is slow has a little time for the rest', async () => {
  const { child, take } = logging(3000)
  child.stdin.end()
  let [read, isOver] = ['', false]
  child.exited.then(() => {
    isOver = true
  })
  while (!isOver) {
    read += take()
    await Bun.sleep(5)
  }
  for (let more = take(); more; more = take()) read += more
  expect(parse(read).map(({ n }) => n)).toEqual(numbers(3000))
}, 30_000)

test('what is kept has a bound: beyond it lines are lost whole, and counted', async () => {
  const { child, take } = logging(30_000)
  // Nothing is read sooner.
  await child.stderr.getReader().read()
  let read = ''
  while (!read.includes('"lost":')) {
    read += take()
    child.stdin.write('.')
    await child.stdin.flush()
    await Bun.sleep(1)
  }
  child.stdin.end()
  await child.exited
  for (let more = take(); more; more = take()) read += more
  const lines = parse(read)
  const told = lines.filter(({ msg }) => msg === 'told')
  expect(told.map(({ n }) => n)).toEqual(numbers(told.length))
  expect(read.length).toBeGreaterThan(1 << 20)
  expect(told.length).toBeLessThan(20_000)
  expect(lines.find(({ lost }) => lost)!.lost).toBeGreaterThanOrEqual(30_000 - told.length)
}, 30_000)
