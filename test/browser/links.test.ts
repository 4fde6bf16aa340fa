// A file shown by a page of another site: with a ticket and by nothing else, for as long as the link is there.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newPerson, type Server, startDevelopment } from './browser'
import { film } from './film'

setDefaultTimeout(60_000)
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

describe.skipIf(!hasChromium)('on a page of another site', () => {
  let [server, browser, own, context] = [] as unknown as [Server, Browser, Page, BrowserContext]
  let [elsewhere, foreign]: [ReturnType<typeof Bun.serve> | undefined, Page | undefined] = [undefined, undefined]
  /** That page, in the very browser that is signed in. */
  const page = () => foreign!

  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
    ;({ page: own, context } = await newPerson(browser, server, 'ada@example.com'))
    const html = () =>
      new Response('<!doctype html><title>elsewhere</title>', { headers: { 'content-type': 'text/html' } })
    elsewhere = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: html })
    foreign = await context.newPage()
    await foreign.goto(`http://127.0.0.1:${elsewhere.port}/`)
  })
  afterAll(async () => {
    await browser.close()
    await elsewhere?.stop(true)
    await server.stop()
  })

  const upload = (bytes: string) =>
    own.evaluate(async (base64) => {
      const body = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      return (await (await fetch('/api/media', { method: 'POST', body })).json()) as { id: string; url: string }
    }, bytes)
  const linkTo = async (id: string) => {
    const { body } = await callFrom(own, 'POST', `/api/media/${id}/links`, {})
    return { id: body.id as string, url: `${server.origin}${body.url}` }
  }
  const shows = (src: string, crossOrigin: string | null = null) =>
    page().evaluate(
      ({ src, crossOrigin }) =>
        new Promise<boolean>((resolve) => {
          const image = new Image()
          image.crossOrigin = crossOrigin
          image.onload = () => resolve(true)
          image.onerror = () => resolve(false)
          image.src = src
        }),
      { src, crossOrigin },
    )

  test('a picture shows by its ticket, to scripts too, and by the cookie alone it does not', async () => {
    const { id, url } = await upload(pixel)
    expect(await shows(`${server.origin}${url}`)).toBe(false)
    const link = await linkTo(id)
    expect([await shows(link.url), await shows(link.url, 'anonymous')]).toEqual([true, true])
    const read = await page().evaluate(async (src) => {
      const response = await fetch(src, { headers: { range: 'bytes=1-3' } })
      return [response.status, await response.text(), response.headers.get('content-range')]
    }, link.url)
    expect(read).toEqual([206, 'PNG', 'bytes 1-3/70'])
    const withCookie = page().evaluate(async (src) => (await fetch(src, { credentials: 'include' })).status, link.url)
    await expect(withCookie).rejects.toThrow()
    expect((await callFrom(own, 'DELETE', `/api/links/${link.id}`)).status).toBe(204)
    expect(await shows(link.url)).toBe(false)
    expect((await callFrom(own, 'GET', url)).status).toBe(200)
  })

  test('a film plays and seeks by its ticket', async () => {
    const { id } = await upload((await film()).toString('base64'))
    const link = await linkTo(id)
    const at = await page().evaluate(async (src) => {
      const video = document.body.appendChild(document.createElement('video'))
      const next = (name: string) => new Promise((resolve) => video.addEventListener(name, resolve, { once: true }))
      video.muted = true
      video.src = src
      await next('loadeddata')
      video.currentTime = 15
      await next('seeked')
      return Math.round(video.currentTime)
    }, link.url)
    expect(at).toBe(15)
  })
})
