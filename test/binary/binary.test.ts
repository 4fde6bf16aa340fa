// The single binary, as it is run: nothing beside it, a root it cannot write, as nobody. Build it first.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '../../package.json'
import { canJail, newJail } from './jail'

const jailed = canJail()
if (!jailed) console.log('The binary is not tested: that takes root and a mount namespace.')

const development = { LATCHKEY_ENV: 'development', LATCHKEY_DATA_DIR: '/data', LATCHKEY_PORT: '0' }
const production = {
  LATCHKEY_PORT: '0',
  LATCHKEY_DATA_DIR: '/data',
  LATCHKEY_ORIGIN: 'https://keys.example.com',
  LATCHKEY_MASTER_KEYS: `one:${Buffer.alloc(32, 7).toString('base64')}`,
  LATCHKEY_SMTP_URL: 'smtp://127.0.0.1:9',
  LATCHKEY_MAIL_FROM: 'robot@example.com',
}

describe.skipIf(!jailed)('the binary in an empty, read-only root as nobody', () => {
  let jail: ReturnType<typeof newJail>
  beforeAll(() => {
    jail = newJail()
  })
  afterAll(() => jail.destroy())

  const run = (variables: Record<string, string>, ...args: string[]) => {
    const done = Bun.spawnSync(jail.command(variables, ...args), { stdout: 'pipe', stderr: 'pipe' })
    return { code: done.exitCode, out: done.stdout.toString(), err: done.stderr.toString() }
  }
  /** Starts the server; `line` is what it says when it listens. */
  const start = async (variables: Record<string, string>) => {
    const child = Bun.spawn(jail.command(variables, 'serve'), { stdout: 'pipe', stderr: 'inherit' })
    let text = ''
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes('"started"')) break
    }
    const listening = /"listening":"([^"]+)"/.exec(text)?.[1] ?? ''
    const stop = () => {
      child.kill('SIGTERM')
      return child.exited
    }
    return { listening, stop }
  }

  test('says its version', () => expect(run({}, 'version')).toMatchObject({ code: 0, out: `${version}\n` }))

  test('is production, and refuses to start without what keeps that safe', () => {
    const { code, err } = run({ LATCHKEY_DATA_DIR: '/data' }, 'serve')
    expect(code).toBe(1)
    for (const name of ['LATCHKEY_ORIGIN', 'LATCHKEY_MASTER_KEYS', 'LATCHKEY_SMTP_URL']) expect(err).toContain(name)
  })

  test('starts in production, is healthy, and ends with 0 on SIGTERM, its data kept', async () => {
    const server = await start(production)
    const port = new URL(server.listening).port
    expect(run({ ...production, LATCHKEY_PORT: port }, 'healthcheck').code).toBe(0)
    expect((await fetch(`${server.listening}/v1/health`)).status).toBe(200)
    expect((await fetch(`${server.listening}/api/me`)).status).toBe(421)
    expect(await server.stop()).toBe(0)
    expect(run({ ...production, LATCHKEY_PORT: port }, 'healthcheck').code).toBe(1)
    expect(statSync(join(jail.root, 'data/latchkey.db')).size).toBeGreaterThan(0)
  })

  test('writes into its data folder and nowhere else', () => {
    expect(run({ ...development, LATCHKEY_DATA_DIR: '/data/migrated' }, 'migrate').code).toBe(0)
    expect(run({ ...development, LATCHKEY_DATA_DIR: '/bin/migrated' }, 'migrate').code).toBe(1)
  })

  test('takes neither a preload nor settings from the folder it is started in', async () => {
    const hostile = {
      'bunfig.toml': 'preload = ["./evil.ts"]\n',
      'evil.ts': 'console.log("HOSTILE")\n',
      '.env': 'LATCHKEY_NONSENSE=1\n',
    }
    for (const [name, text] of Object.entries(hostile)) await Bun.write(join(jail.root, name), text)
    const plain = Bun.spawnSync([process.execPath, '-e', 'console.log(process.env.LATCHKEY_NONSENSE)'], {
      cwd: jail.root,
    })
    expect(plain.stdout.toString()).toBe('HOSTILE\n1\n')
    expect(run({}, 'config example')).toMatchObject({ code: 0, out: expect.not.stringContaining('HOSTILE') })
    expect(run(development, 'config check')).toMatchObject({ code: 0, out: expect.not.stringContaining('HOSTILE') })
  })

  test('tells the whole story of a first day in development', async () => {
    const server = await start({ ...development, LATCHKEY_DATA_DIR: '/data/development' })
    const tour = Bun.spawn([process.execPath, join(import.meta.dir, '../tour.ts'), server.listening], {
      stdout: 'pipe',
    })
    const story = await new Response(tour.stdout).text()
    expect(story).toContain('401')
    expect(await tour.exited).toBe(0)
    expect(statSync(join(jail.root, 'data/development/master.key')).mode & 0o777).toBe(0o600)
    expect(await server.stop()).toBe(0)
  })
})
