// Taking files in: whole or not at all, counted and checked as they come, and nothing left of what failed.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { mediaHeads } from './data/media-heads'
import { testApp } from './support'
import { ask, beginRequest, readAnswer, serveOnWire } from './wire'

const maxBytes = 100_000
let app: Awaited<ReturnType<typeof testApp>>
let server: ReturnType<typeof serveOnWire>
let admin: Awaited<ReturnType<typeof app.as>>

beforeAll(async () => {
  app = await testApp({ env: { LATCHKEY_MEDIA_MAX_BYTES: String(maxBytes) } })
  server = serveOnWire(app.app.fetch)
  admin = await app.as('admin')
})
afterAll(async () => {
  server.stop()
  await app.stop()
})

const filesOnDisk = () => ['objects', 'staged'].flatMap((folder) => readdirSync(join(app.mediaFolder, folder)))
const mediaCount = async () => (await admin.get('/api/media?limit=100')).body.data.length

/** What there is, before and after: a failed upload changes neither. */
const leavesNothing = async (attempt: () => Promise<unknown>) => {
  const before = [filesOnDisk().sort(), await mediaCount()]
  await attempt()
  expect([filesOnDisk().sort(), await mediaCount()]).toEqual(before)
}

const upload = async (raw: string | Uint8Array, headers: Record<string, string> = {}) => {
  const response = await app.fetch('POST', '/api/media', {
    headers: { ...admin.headers, ...headers },
    raw: Buffer.from(raw),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Sends a body in pieces on a connection of its own, and waits for the answer. */
const send = async (pieces: (string | Buffer)[], headers: Record<string, string>) => {
  const socket = beginRequest(server.port, 'POST', '/api/media', { ...admin.headers, ...headers })
  for (const piece of pieces) socket.write(piece)
  const { status, body } = await readAnswer(socket)
  return { status, body: JSON.parse(body.toString()) as Record<string, unknown> }
}

const until = async (what: () => boolean | Promise<boolean>) => {
  for (const end = performance.now() + 2000; !(await what()); await Bun.sleep(1))
    if (performance.now() > end) throw new Error('it never came to that')
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64')

describe('POST /api/media', () => {
  test('describes what came: size, digest, type by its bytes beside the one declared, and where it is', async () => {
    const bytes = Buffer.from(mediaHeads[0]![2], 'hex')
    const { status, body } = await upload(bytes, {
      'content-type': 'Text/HTML; charset=utf-8',
      'x-file-name': 'a%C3%A9.png',
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'aé.png', size: bytes.length, type: 'image/png', declared_type: 'text/html' })
    expect(body.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(body.created_by).toBe(admin.userId)
    const got = await app.fetch('GET', body.url as string, { headers: admin.headers })
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBeTrue()
    expect(got.headers.get('content-type')).toBe('image/png')
  })

  test('takes an empty file, one of the largest size, and one of unknown length', async () => {
    expect(await upload('')).toMatchObject({ status: 201, body: { size: 0, name: 'untitled' } })
    expect(await upload(Buffer.alloc(maxBytes))).toMatchObject({ status: 201, body: { size: maxBytes } })
    const chunked = await send(['3\r\nabc\r\n', '2\r\nde\r\n0\r\n\r\n'], { 'Transfer-Encoding': 'chunked' })
    expect(chunked).toMatchObject({ status: 201, body: { size: 5 } })
  })

  test('leaves an audit row with the change itself', async () => {
    app.clock.advance(1)
    const { body } = await upload('x')
    const { body: audit } = await admin.get('/api/audit?action=media.ready&limit=1')
    expect(audit.data[0]).toMatchObject({ action: 'media.ready', targets: [body.id] })
  })

  test('refuses more than the largest size, announced or counted', () =>
    leavesNothing(async () => {
      const announced = beginRequest(server.port, 'POST', '/api/media', {
        ...admin.headers,
        'Content-Length': '100001',
      })
      expect((await readAnswer(announced)).status).toBe(413)
      const length = (maxBytes + 1).toString(16)
      const counted = await send([`${length}\r\n`, Buffer.alloc(maxBytes + 1), '\r\n'], {
        'Transfer-Encoding': 'chunked',
      })
      expect(counted).toMatchObject({ status: 413, body: { code: 'too_large' } })
    }))

  test('keeps nothing of a sender who vanishes', () =>
    leavesNothing(async () => {
      for (const headers of [{ 'Content-Length': '50000' }, { 'Transfer-Encoding': 'chunked' }]) {
        const idle = filesOnDisk().length
        const socket = beginRequest(server.port, 'POST', '/api/media', { ...admin.headers, ...headers })
        socket.write(`2000\r\n${'x'.repeat(0x2000)}`)
        await until(() => filesOnDisk().length > idle)
        socket.destroy()
        await until(() => filesOnDisk().length === idle)
      }
    }))

  test('lets nobody read a part while it comes', async () => {
    const before = await mediaCount()
    const socket = beginRequest(server.port, 'POST', '/api/media', { ...admin.headers, 'Content-Length': '6' })
    socket.write('abc')
    await until(() => readdirSync(join(app.mediaFolder, 'staged')).length > 0)
    expect(await mediaCount()).toBe(before)
    socket.write('def')
    expect((await readAnswer(socket)).status).toBe(201)
    expect(await mediaCount()).toBe(before + 1)
  })

  test.each([
    ['content-digest', (d: string) => `sha-256=:${d}:`],
    ['content-digest', (d: string) => `sha-512=:AAAA:, sha-256=:${d}:`],
    ['upload-checksum', (d: string) => `sha256 ${d}`],
  ])('checks the digest that came with it: %s', async (name, written) => {
    expect((await upload('abc', { [name]: written(digestOf('abc')) })).status).toBe(201)
    await leavesNothing(async () => {
      const wrong = await upload('abc', { [name]: written(digestOf('abd')) })
      expect(wrong).toMatchObject({ status: 460, body: { code: 'checksum_mismatch' } })
      expect((await upload('abc', { [name]: written('abc') })).status).toBe(422)
    })
  })

  test('refuses a coded body, whose bytes are not the file', () =>
    leavesNothing(async () => {
      expect((await upload('abc', { 'content-encoding': 'gzip' })).status).toBe(415)
    }))
})

describe('the name of an upload', () => {
  test.each([
    ['quotes', `"it's" <b>.txt`],
    ['other scripts', 'смета 見積 😀.pdf'],
    ['255 characters', 'n'.repeat(255)],
  ])('%s are kept', async (_, name) => {
    const { status, body } = await upload('x', { 'x-file-name': encodeURIComponent(name) })
    expect([status, body.name]).toEqual([201, name])
  })

  test.each([
    ['a line break', 'a%0D%0ASet-Cookie%3A%20x'],
    ['a direction mark', 'gpj.%E2%80%AEexe'],
    ['NUL', 'a%00b'],
    ['300 characters', 'n'.repeat(300)],
    ['nothing but blanks', '%20%20'],
    ['broken percent-encoding', '100%'],
    ['bytes that are not UTF-8', '%FF'],
    ['UTF-8 as it is, which would be kept as other letters', Buffer.from('café').toString('latin1')],
  ])('%s is refused, with the body unread and nothing of it repeated', (_, name) =>
    leavesNothing(async () => {
      const { status, body } = await upload('canary-in-the-body', { 'x-file-name': name })
      expect([status, body.code, body.detail]).toEqual([422, 'invalid', 'The headers are not valid'])
      expect(JSON.stringify(body)).not.toContain(name)
    }),
  )
})

test('an upload asked for by a stranger is refused before a byte of it is stored', () =>
  leavesNothing(async () => {
    expect((await ask(server.port, 'POST', '/api/media', { 'Content-Length': '50000' })).status).toBe(401)
  }))

test('an upload that turns out to be over the quota leaves no object behind', async () => {
  const plans = { address: {}, plans: { default: { workspace: {}, caller: {}, quotas: { storage_bytes: 4 } } } }
  const small = await testApp({ ports: { plans } })
  const { headers } = await small.as('admin')
  const attempt = async (text: string) =>
    (await small.fetch('POST', '/api/media', { headers, raw: new Response(text).body! })).status
  const objects = () => readdirSync(join(small.mediaFolder, 'objects')).length
  expect([await attempt('12345'), objects()]).toEqual([402, 0])
  expect([await attempt('1234'), objects()]).toEqual([201, 1])
  await small.stop()
})
