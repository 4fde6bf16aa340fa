// A file in a form: read as it comes, one and no more, as small as forms are; whatever is odd about it leaves nothing.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readFormFile } from '../src/lib/multipart'
import { type Json, origin, type TestApp, testApp } from './support'

let t: TestApp
let admin: Awaited<ReturnType<TestApp['as']>>
beforeAll(async () => {
  t = await testApp()
  admin = await t.as('admin')
})
afterAll(() => t.stop())

const post = async (raw: BodyInit, headers: Record<string, string> = {}, method = 'POST', target = '/api/media') => {
  const response = await t.fetch(method, target, { headers: { ...admin.headers, ...headers }, raw })
  return { status: response.status, body: (await response.json()) as Json }
}
const formOf = (...files: File[]) => {
  const form = new FormData()
  for (const file of files) form.append('file', file)
  return form
}
const filesOnDisk = () => ['objects', 'staged'].flatMap((folder) => readdirSync(join(t.mediaFolder, folder))).length
const b = { 'content-type': 'multipart/form-data; boundary=b' }
const part = (head: string, body: string, end = '\r\n--b--\r\n') => `--b\r\n${head}\r\n\r\n${body}${end}`
const head = 'Content-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain'

describe('a form with one file', () => {
  test.each([
    ['a small one', Buffer.from('hello')],
    ['an empty one', Buffer.alloc(0)],
    ['one full of what looks like its end', Buffer.from('\r\n--\r\n-\r\n--b'.repeat(1000))],
    [
      'one of some megabytes',
      Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
        .toString('latin1')
        .repeat(40),
    ],
  ])('becomes that file, byte for byte: %s', async (_, bytes) => {
    const sent = new File([bytes], 'смета "1".txt', { type: 'text/plain' })
    const { status, body } = await post(formOf(sent))
    expect([status, body]).toMatchObject([201, { name: 'смета "1".txt', size: sent.size, declared_type: 'text/plain' }])
    const got = await t.fetch('GET', body.url, { headers: admin.headers })
    expect(Buffer.from(await got.arrayBuffer()).equals(Buffer.from(await sent.arrayBuffer()))).toBe(true)
  })

  test('is the same however it is cut on its way', async () => {
    const text = part(head, 'one\r\n--two\r\n--bb'.replace('--bb', '--a'))
    for (let size = 1; size < 40; size++) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < text.length; at += size) controller.enqueue(Buffer.from(text.slice(at, at + size)))
          controller.close()
        },
      })
      const file = await readFormFile(body, b['content-type'], 100)
      expect([file.name, file.type, await new Response(file.bytes).text()]).toEqual([
        ...['a.txt', 'text/plain', 'one\r\n--two\r\n--a'],
      ])
    }
  })

  test('by a cookie comes from our own page alone', async () => {
    const form = { cookie: `session=${admin.token}`, 'sec-fetch-site': 'cross-site' }
    const headers = { authorization: '' }
    const send = (more: Record<string, string>) => {
      const { authorization: _, ...rest } = { ...admin.headers, ...headers, ...more }
      return t.fetch('POST', '/api/media', { headers: rest, raw: formOf(new File(['x'], 'x')) })
    }
    expect((await send({ ...form, origin: 'https://evil.example' })).status).toBe(403)
    expect((await send(form)).status).toBe(403)
    expect((await send({ cookie: form.cookie, origin })).status).toBe(201)
  })
})

describe('a form that is not', () => {
  test.each([
    ['two files', formOf(new File(['a'], 'a'), new File(['b'], 'b')), {}, 422, 'invalid'],
    ['a field and no file', part('Content-Disposition: form-data; name="f"', 'x'), b, 422, 'invalid'],
    ['no part at all', '--b--\r\n', b, 400, 'malformed'],
    ['without its end', part(head, 'x', ''), b, 400, 'malformed'],
    ['without a boundary', part(head, 'x'), { 'content-type': 'multipart/form-data' }, 400, 'malformed'],
    ['with another boundary', part(head, 'x'), { 'content-type': 'multipart/form-data; boundary=c' }, 400, 'malformed'],
    ['all head', `--b\r\n${head}\r\nX: ${'x'.repeat(20_000)}`, b, 400, 'malformed'],
    [
      'named by bytes that are no text',
      Buffer.from(part(head.replace('a.txt', 'a\xff'), 'x'), 'latin1'),
      b,
      400,
      'malformed',
    ],
    ['named to steer a terminal', part(head.replace('a.txt', 'a\u202eb'), 'x'), b, 422, 'invalid'],
    ['named by nothing', part(head.replace('a.txt', ' '), 'x'), b, 422, 'invalid'],
    ['coded', part(head, 'x'), { ...b, 'content-encoding': 'gzip' }, 415, 'unsupported_type'],
    ['too large by its length', 'x', { ...b, 'content-length': '40000000' }, 413, 'too_large'],
  ])('one small file is refused and leaves nothing: %s', async (_, raw, headers, status, code) => {
    const before = filesOnDisk()
    const answer = await post(raw as BodyInit, headers as Record<string, string>)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(filesOnDisk()).toBe(before)
  })

  test('small, counted while it comes, is refused and leaves nothing', async () => {
    const before = filesOnDisk()
    const answer = await post(formOf(new File([Buffer.alloc(32 * 1024 * 1024 + 1)], 'a')))
    expect([answer.status, answer.body.code, filesOnDisk()]).toEqual([413, 'too_large', before])
  })

  test('a new file replaces none: new bytes of one are sent as they are', async () => {
    const { body } = await post('one')
    const answer = await post(formOf(new File(['x'], 'x')), {}, 'PUT', `/api/media/${body.id}/content`)
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_type'])
    expect((await admin.get(`/api/media/${body.id}`)).body.version).toBe(1)
  })
})
