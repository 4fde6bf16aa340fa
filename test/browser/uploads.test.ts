// Uploads from a page, by its cookie: tus-js-client as it comes, and the plain fetch that docs/uploads.md shows.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newPerson, type Server, startDevelopment } from './browser'

setDefaultTimeout(60_000)
const root = join(import.meta.dir, '../..')
const client = await Bun.file(join(root, 'node_modules/tus-js-client/dist/tus.min.js')).text()
const shown = /```js\n([\s\S]*?)```/.exec(await Bun.file(join(root, 'docs/uploads.md')).text())?.[1] ?? ''
const size = 3_000_000
const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251)
const sha256 = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
const aFile = `new File([Uint8Array.from({ length: ${size} }, (_, i) => (i * 31) % 251)], 'größe.bin', { type: 'image/png' })`

describe.skipIf(!hasChromium)('an upload from a page', () => {
  let [server, browser, page] = [] as unknown as [Server, Browser, Page]
  let complaints: string[] = []
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
    ;({ page, complaints } = await newPerson(browser, server, 'ada@example.com'))
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    expect(complaints).toEqual([])
  })
  const arrived = { name: 'größe.bin', declared_type: 'image/png', size, sha256 }

  test('by tus-js-client, begun again by another one after it was left, arrives as it was', async () => {
    await page.evaluate(client)
    const place = await page.evaluate(`(async () => {
      const file = ${aFile}
      let place = null
      const options = {
        endpoint: '/api/uploads', chunkSize: 500000,
        metadata: { filename: file.name, filetype: file.type },
        onAfterResponse: (_, response) => { place = response.getHeader('content-location') ?? place },
      }
      await new Promise((resolve, reject) => {
        const first = new tus.Upload(file, { ...options, onError: reject,
          onChunkComplete: (_, sent) => sent >= 1000000 && first.abort().then(resolve, reject) })
        first.start()
      })
      const second = new tus.Upload(file, options)
      const [previous] = await second.findPreviousUploads()
      second.resumeFromPreviousUpload(previous)
      await new Promise((resolve, reject) => {
        second.options.onSuccess = resolve
        second.options.onError = reject
        second.start()
      })
      return place
    })()`)
    expect((await callFrom(page, 'GET', String(place))).body).toMatchObject(arrived)
  })

  test('by the lines that the documentation shows arrives as it was', async () => {
    const place = await page.evaluate(`(async (file) => {
      ${shown.replace('sent.headers.get', 'return sent.headers.get')}
    })(${aFile})`)
    expect((await callFrom(page, 'GET', String(place))).body).toMatchObject(arrived)
  })
})
