// Media in a bucket, as callers meet it: objects that are gone, a bucket that is away, keys that are refused.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createS3Blobs } from '../src/adapters/blobs-s3'
import { pour } from '../src/adapters/pour'
import { createS3, type S3 } from '../src/adapters/s3'
import { hasS3, newS3Options, testS3 } from './s3'
import { type Link, startProxy } from './scale/proxy'
import { type Answer, newTestLog, type TestApp, testApp } from './support'
import { bytesOf, tusOf } from './tus'

describe.skipIf(!hasS3())('media in a bucket', () => {
  let [app, s3, link]: [TestApp, S3, Link] = [null!, null!, null!]
  let who: Record<string, string>
  const log = newTestLog()
  beforeEach(async () => {
    link = await startProxy((await testS3()).address)
    const options = await newS3Options(new URL(link.url).host)
    const patience = { ...options.patience!, attempts: 2, answerMs: 300 }
    s3 = createS3({ ...options, patience, log: log.log })
    app = await testApp({ blobs: createS3Blobs({ s3, pour }) })
    who = (await app.as('admin')).headers
  })
  afterEach(async () => {
    await app.stop()
    link.stop()
  })

  const upload = (bytes: BodyInit) => app.call('POST', '/api/media', { headers: who, raw: bytes })
  const get = (url: string, headers = {}) => app.fetch('GET', url, { headers: { ...who, ...headers } })
  const objects = async () => (await Array.fromAsync(s3.list('objects/'))).map(({ key }) => key)
  const ready = async () => {
    app.clock.advance(1000)
    const { status, body } = await app.call('GET', '/v1/health/ready')
    return [status, body.checks.storage]
  }
  const files = async () => (await app.call('GET', '/api/media', { headers: who })).body.data.length

  test('an object that is gone behind its row is our failure, told in the log, and no other file suffers', async () => {
    const { body: lost } = await upload('lost')
    const [object = ''] = await objects()
    const { body: kept } = await upload('kept')
    await s3.remove(object)
    const gone = await get(lost.url)
    expect([gone.status, (await gone.json()).code]).toEqual([500, 'internal'])
    expect(await (await get(kept.url)).text()).toBe('kept')
    expect(app.events.map(({ message }) => message)).toContain('media without its object')
  })

  test('while the bucket is away it is 503 in a moment, takes nothing in, says so to probes, and is back by itself', async () => {
    const { body: file } = await upload('abc')
    expect(await ready()).toEqual([200, 'ok'])
    for (const how of ['cut', 'freeze'] as const) {
      link[how]()
      const asked = [get(file.url), get(file.url, { range: 'bytes=1-' })]
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([503, 503])
      const refused = await upload('x'.repeat(100_000))
      expect([refused.status, refused.body.code]).toEqual([503, 'unavailable'])
      expect(JSON.stringify(refused.body)).not.toContain('127.0.0.1')
      const [not, headers] = [await get(file.url, { 'if-none-match': `"${file.sha256}"` }), { headers: who }]
      expect([not.status, (await app.fetch('HEAD', file.url, headers)).status]).toEqual([304, 200])
      if (how === 'cut') expect(await ready()).toEqual([503, 'failing'])
      link.mend()
      expect(await (await get(file.url)).text()).toBe('abc')
    }
    expect([await files(), await ready()]).toEqual([1, [200, 'ok']])
    // What was on its way when everything stood still may arrive when nobody waits for it any more.
    app.clock.advance(2 * 86_400_000)
    await app.app.services.jobs.runNow('media')
    expect(await objects()).toHaveLength(1)
  })

  test('a resumable upload goes on where it was once the bucket is back, and ends byte-equal with nothing beside it', async () => {
    const [bytes, step] = [bytesOf(20 * 1024 * 1024 + 321), 3 * 1024 * 1024]
    const tus = tusOf(app, { headers: who })
    const at = await tus.begin(bytes.length)
    let last: Answer | undefined
    for (let [offset, n] = [0, 0]; offset < bytes.length; offset += step, n++) {
      const send = () => tus.patch(at, offset, bytes.subarray(offset, offset + step))
      if (n === 2 || n === 4) {
        link[n === 2 ? 'cut' : 'freeze']()
        expect((await send()).status).toBe(503)
        link.mend()
        expect(await tus.offset(at)).toBe(offset)
      }
      // What was sent into a connection that is gone is refused too, and sent again.
      for (let tries = 0; tries === 0 || (last?.status === 503 && tries < 5); tries++) last = await send()
      expect(await tus.offset(at)).toBe(Math.min(offset + step, bytes.length))
    }
    const file = await tus.file(last!)
    expect(file.bytes.equals(bytes)).toBeTrue()
    expect((await Array.fromAsync(s3.list(''))).map(({ key }) => key)).toEqual(await objects())
    expect([(await objects()).length, await Array.fromAsync(s3.uploads(''))]).toEqual([1, []])
  })

  test('keys that the bucket refuses make the node not ready, and the log says why without them', async () => {
    const options = await newS3Options()
    const { log: told, events } = newTestLog()
    const wrong = { access: options.keys.access, secret: 'not-the-secret-of-this-bucket' }
    const refused = createS3({ ...options, keys: wrong, log: told })
    const blobs = createS3Blobs({ s3: refused, pour })
    const other = await testApp({ blobs })
    const { status, body } = await other.call('GET', '/v1/health/ready')
    expect([status, body.checks.storage]).toEqual([503, 'failing'])
    const { headers } = await other.as('admin')
    expect((await other.call('POST', '/api/media', { headers, raw: 'abc' })).status).toBe(503)
    expect(events[0]?.fields.reason).toBe('the bucket answered 403 SignatureDoesNotMatch')
    for (const word of Object.values(wrong)) expect(JSON.stringify(events)).not.toContain(word)
    await other.stop()
  })

  test('a deleted file is purged from the bucket, and what no file names is collected', async () => {
    const { body: file } = await upload('abc')
    await s3.put('objects/nobodys0000000000000000', Buffer.from('x'))
    expect((await app.call('DELETE', `/api/media/${file.id}`, { headers: who })).status).toBe(204)
    expect((await get(file.url)).status).toBe(404)
    expect(await objects()).toHaveLength(2)
    app.clock.advance(31 * 86_400_000)
    await app.app.services.jobs.runNow('media')
    expect(await objects()).toEqual([])
  })
})
