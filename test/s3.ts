// A real S3 server for tests: versitygw over a folder, on a port of its own, gone with this process. Or any bucket, named by
// LATCHKEY_TEST_S3 as http://access:secret@host:port/bucket, which then holds what the tests leave.
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/adapters/clock'
import type { S3Options } from '../src/adapters/s3-calls'
import { randomBase62 } from '../src/lib/id'
import { parseS3Place } from '../src/lib/s3-place'
import type { SigningKeys } from '../src/lib/sigv4'
import { freePort } from './redis'
import { atEnd, newFolder } from './template'

const given = process.env.LATCHKEY_TEST_S3
const binary = Bun.which('versitygw', { PATH: `${process.env.PATH}:${join(homedir(), 'go/bin')}` })

/** Whether there is one to test with. In CI there must be. */
export const hasS3 = (): boolean => {
  if (!given && !binary && process.env.CI)
    throw new Error(
      'These tests need go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, or LATCHKEY_TEST_S3.',
    )
  return Boolean(given || binary)
}

/** `address` is host:port, to put a proxy before it. */
export type TestS3 = { address: string; bucket: string; keys: SigningKeys }

const isUp = (address: string): Promise<boolean> =>
  fetch(`http://${address}`).then(
    () => true,
    () => false,
  )
const startGateway = async (): Promise<TestS3> => {
  const [folder, port] = [newFolder(), await freePort()]
  const keys = { access: randomBase62(20), secret: randomBase62(40) }
  mkdirSync(join(folder, 'media'))
  const address = `127.0.0.1:${port}`
  const child = Bun.spawn([binary!, '--quiet', '--port', address, 'posix', folder], {
    env: { ROOT_ACCESS_KEY: keys.access, ROOT_SECRET_KEY: keys.secret },
    ...{ stdout: 'ignore', stderr: 'ignore' },
  })
  child.unref()
  atEnd(() => child.kill('SIGKILL'))
  while (!(await isUp(address))) {
    if (child.exitCode !== null) throw new Error('versitygw did not start')
    await Bun.sleep(5)
  }
  return { address, bucket: 'media', keys }
}

let server: Promise<TestS3> | undefined
/** One for all tests of this process. */
export const testS3 = async (): Promise<TestS3> => {
  if (given) {
    const { host, pathname, username, password } = new URL(given)
    return { address: host, bucket: pathname.slice(1), keys: { access: username, secret: password } }
  }
  // A test that takes too long has the children of its process ended: those after it find another.
  if (server && !(await isUp((await server).address))) server = undefined
  server ??= startGateway()
  return server
}

/** An empty place in its bucket. `address`: by way of a proxy. */
export const newS3Options = async (address?: string): Promise<S3Options> => {
  const { bucket, keys, address: own } = await testS3()
  const place = parseS3Place(`s3://${bucket}/${randomBase62(12)}?endpoint=http://${address ?? own}`)
  return {
    place,
    keys,
    fetch,
    clock: systemClock,
    patience: { attempts: 3, backoffMs: 20, answerMs: 5000, bytesPerMs: 10_000, giveUpMs: 10_000 },
  }
}
