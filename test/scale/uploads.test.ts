// kill -9 of the server at random points of uploads, by hand and by the client that browsers use: each ends byte-equal, and
// nothing that was said to be durable is lost.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { Upload } from 'tus-js-client'
import { bearer, newCaller } from '../story'
import { newFolder } from '../template'
import { bytesOf, chunkType, speaks } from '../tus'

// SCALE_KILLS=200 to prove it.
const kills = Number(process.env.SCALE_KILLS ?? 6)
const cli = join(import.meta.dir, '../../src/cli.ts')
const bytes = bytesOf(24 << 20)
const digest = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')

const freePort = (): number => {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port = 0 } = server
  void server.stop(true)
  return port
}
const port = freePort()
const origin = `http://localhost:${port}`
const folder = newFolder()
const env = {
  LATCHKEY_PORT: String(port),
  LATCHKEY_DATA_DIR: folder,
  LATCHKEY_ENV: 'development',
  LATCHKEY_START_FLOOR_MS: '0',
}
const { call, send, codeFor } = newCaller(origin)
let server: Bun.Subprocess
let headers: Record<string, string>

const start = async () => {
  server = Bun.spawn([process.execPath, cli, 'serve'], {
    env: { ...process.env, LATCHKEY_RATE_LIMITS: 'off', ...env },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  for (const end = performance.now() + 20_000; ; await Bun.sleep(20)) {
    const health = await send('GET', '/v1/health').catch(() => null)
    if (health?.status === 200) return
    if (performance.now() > end) throw new Error('the server did not come up')
  }
}
const kill = async () => {
  server.kill('SIGKILL')
  await server.exited
}

beforeAll(async () => {
  await start()
  const email = 'ada@example.com'
  const { challenge_id, binding } = await call('POST', '/api/auth/start', 202, { json: { email, transport: 'token' } })
  const json = { challenge_id, binding, code: await codeFor(email) }
  headers = { ...bearer((await call('POST', '/api/auth/verify', 200, { json })).token), ...speaks }
}, 60_000)
afterAll(kill)

/** The body from an offset on, at about 40 MB a second; counts what was taken from it. */
const slowly = (from: number) => {
  let at = from
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at >= bytes.length) return controller.close()
      await Bun.sleep(4)
      controller.enqueue(bytes.subarray(at, at + 160_000))
      at += 160_000
    },
  })
  return { stream, taken: () => Math.min(at, bytes.length) }
}
const standing = async (at: string) => {
  const answer = await send('HEAD', at, { headers })
  return { offset: Number(answer.headers.get('upload-offset')), place: answer.headers.get('content-location') }
}
const isWhole = async (place: string) => {
  const file = await call('GET', place, 200, { headers })
  expect([file.size, file.sha256]).toEqual([bytes.length, digest])
  const got = Buffer.from(await (await send('GET', file.url, { headers })).arrayBuffer())
  expect(got.equals(bytes)).toBeTrue()
}

test(`${kills} kills: what is said to be durable is, and an upload goes on from there to its end`, async () => {
  for (let done = 0; done < kills; ) {
    const length = { 'upload-length': String(bytes.length) }
    const made = await send('POST', '/api/uploads', { headers: { ...headers, ...length } })
    const at = made.headers.get('location') ?? ''
    for (let durable = 0; durable < bytes.length; ) {
      const body = slowly(durable)
      const sent = { ...headers, ...chunkType, 'upload-offset': String(durable) }
      const answer = fetch(origin + at, {
        method: 'PATCH',
        headers: sent,
        body: body.stream,
        duplex: 'half',
      } as RequestInit)
      const ended = answer.then(
        ({ status }) => status,
        () => 0,
      )
      const status = await Promise.race([ended, Bun.sleep(Math.random() * 900).then(() => null)])
      if (status === null && done < kills) {
        const asked = Math.random() < 0.5 ? await standing(at) : { offset: durable }
        await kill()
        done++
        await ended
        await start()
        const { offset } = await standing(at)
        expect(offset).toBeGreaterThanOrEqual(asked.offset)
        expect(offset).toBeLessThanOrEqual(body.taken())
        durable = offset
      } else {
        expect(await ended).toBe(204)
        durable = (await standing(at)).offset
      }
    }
    const { place } = await standing(at)
    await isWhole(place ?? '')
  }
}, 3_600_000)

test(`tus-js-client gets a file through ${kills} kills by itself`, async () => {
  let [isOver, done] = [false, 0]
  const killing = async () => {
    while (!isOver && done < kills) {
      await Bun.sleep(100 + Math.random() * 600)
      if (isOver) return
      await kill()
      done++
      await start()
    }
  }
  const upload = (chunkSize: number): Promise<string> =>
    new Promise((resolve, reject) => {
      let place = ''
      const one = new Upload(bytes, {
        endpoint: `${origin}/api/uploads`,
        headers,
        chunkSize,
        retryDelays: Array(100).fill(200),
        metadata: { filename: 'a.bin', filetype: 'application/octet-stream' },
        onAfterResponse: (_, response) => {
          place = response.getHeader('content-location') ?? place
        },
        onSuccess: () => resolve(place),
        onError: reject,
      })
      one.start()
    })
  const [killed, places] = [killing(), [] as string[]]
  while (done < kills) for (const chunkSize of [Number.POSITIVE_INFINITY, 3 << 20]) places.push(await upload(chunkSize))
  isOver = true
  await killed
  for (const place of places) await isWhole(place)
}, 3_600_000)
