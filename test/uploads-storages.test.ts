// Uploads that go on, in each storage: through requests that break off, checksums that are wrong, and programs that end.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createApp } from '../src/app'
import { Failure } from '../src/errors'
import { storages } from './storages'
import { origin, type TestApp, testApp } from './support'
import { bytesOf, tusOf } from './tus'

const mebi = 1 << 20
const bytes = bytesOf(20 * mebi)
const sha256 = createHash('sha256').update(bytes).digest('hex')

describe.each([...storages])('an upload $name', ({ options }) => {
  let t: TestApp
  let admin: Awaited<ReturnType<TestApp['as']>>
  let tus: ReturnType<typeof tusOf>
  beforeAll(async () => {
    t = await testApp(await options())
    admin = await t.as('admin')
    tus = tusOf(t, admin)
  })
  afterAll(() => t.stop())

  /** The program anew over the same database and storage. */
  const restart = async () => {
    const app = await createApp(t.config, t.ports)
    const fetch: TestApp['fetch'] = (method, target, { headers = {}, raw } = {}) => {
      const body = raw === undefined ? {} : { body: raw }
      const all = { host: new URL(origin).host, ...headers }
      return app.fetch(new Request(origin + target, { method, headers: all, ...body }), () => null)
    }
    const call: TestApp['call'] = async (method, target, init) => {
      const response = await fetch(method, target, init)
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
    }
    tus = tusOf({ ...t, fetch, call }, admin)
  }
  /** A body of `from` to `to`, a mebibyte each fifth of a second, that breaks off in the end. */
  const breaking = (from: number, to: number, meanwhile = () => {}) => {
    let at = from
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(1)
        t.clock.advance(200)
        if (at >= to) {
          meanwhile()
          return controller.error(new Error('the sender is gone'))
        }
        controller.enqueue(Uint8Array.from(bytes.subarray(at, Math.min(at + mebi, to))))
        at += mebi
      },
    })
  }

  test('ends byte-equal, whatever broke off', async () => {
    const at = await tus.begin(bytes.length)
    expect((await tus.patch(at, 0, breaking(0, 100_003))).status).toBe(400)
    expect(await tus.offset(at)).toBe(100_003)
    await restart()
    const wrong = { 'upload-checksum': `sha1 ${createHash('sha1').update('other').digest('base64')}` }
    expect((await tus.patch(at, 100_003, bytes.subarray(100_003, 7 * mebi), wrong)).status).toBe(460)
    expect((await tus.patch(at, 100_003, bytes.subarray(100_003, 7 * mebi))).status).toBe(204)
    await tus.patch(at, 7 * mebi, breaking(7 * mebi, 13 * mebi + 5))
    await restart()
    expect(await tus.offset(at)).toBe(13 * mebi + 5)
    const file = await tus.file(await tus.patch(at, 13 * mebi + 5, bytes.subarray(13 * mebi + 5)))
    expect([file.sha256, file.bytes.equals(bytes)]).toEqual([sha256, true])
  }, 30_000)

  test('is put down now and then, so that little is lost where the end of a request could not be', async () => {
    const at = await tus.begin(bytes.length)
    const { batch } = t.db
    const away = async () => {
      throw new Failure('unavailable')
    }
    await tus.patch(
      at,
      0,
      breaking(0, 19 * mebi, () => {
        t.db.batch = away
      }),
    )
    t.db.batch = batch
    await restart()
    const offset = await tus.offset(at)
    expect(offset).toBeGreaterThanOrEqual(8 * mebi)
    expect(offset).toBeLessThan(19 * mebi)
    const file = await tus.file(await tus.patch(at, offset, bytes.subarray(offset)))
    expect([file.sha256, file.bytes.equals(bytes)]).toEqual([sha256, true])
  }, 30_000)

  test('leaves nothing behind when it is ended or its time is over', async () => {
    const [ended, left] = [await tus.begin(100), await tus.begin(9 * mebi)]
    await tus.patch(ended, 0, 'abc')
    await tus.patch(left, 0, bytes.subarray(0, 6 * mebi))
    expect((await tus.send('DELETE', ended)).status).toBe(204)
    t.clock.advance(86_400_000)
    const expire = () => t.app.services.uploads.expire(new AbortController().signal)
    expect(await expire()).toBeGreaterThan(0)
    expect(await t.ports.blobs.discardStaged(Number.MAX_SAFE_INTEGER)).toBe(0)
  }, 30_000)
})
