// A file in a real browser: dropped in, sent through pauses and without a connection, played until the right to it is gone.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newPerson, type Server, startDevelopment } from './browser'
import { longFilm } from './film'

setDefaultTimeout(60_000)

describe.skipIf(!hasChromium)('a film in the browser', () => {
  let [server, browser, page, network] = [] as unknown as [Server, Browser, Page, CDPSession]
  let [complaints, film]: [string[], Buffer] = [[], Buffer.alloc(0)]

  beforeAll(async () => {
    film = await longFilm()
    server = await startDevelopment()
    browser = await launchChromium()
    ;({ page, complaints } = await newPerson(browser, server, 'ada@example.com'))
    network = await page.context().newCDPSession(page)
    await page.goto(`${server.origin}/media`)
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    expect(complaints).toEqual([])
  })

  const connection = (offline: boolean, uploadThroughput: number) =>
    network.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput })
  const part = () => page.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.value)
  const moreThan = async (least: number) => {
    while ((await part()) <= least) await Bun.sleep(20)
  }

  const drop = async (name: string, bytes: Buffer) => {
    await page.route('**/dropped', (route) => route.fulfill({ body: bytes }))
    const dataTransfer = await page.evaluateHandle(async (name) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([await (await fetch('/dropped')).blob()], name, { type: 'video/mp4' }))
      return transfer
    }, name)
    await page.getByRole('region', { name: 'Upload' }).dispatchEvent('drop', { dataTransfer })
  }

  test('goes on after a pause and after the connection was gone, and arrives as it was', async () => {
    await page.getByText('Drop files here').waitFor()
    const slow = film.length / 8
    await connection(false, slow)
    await drop('long.mp4', film)
    await moreThan(0.1)
    await page.getByRole('button', { name: 'Pause long.mp4' }).click()
    await page.getByText('Paused').waitFor()
    const paused = await part()
    await page.getByRole('button', { name: 'Resume long.mp4' }).click()
    await moreThan(paused)
    await connection(true, slow)
    await page.getByText('The server could not be reached.').waitFor()
    expect(await part()).toBeLessThan(1)
    await connection(false, -1)
    await page.getByRole('button', { name: /^long\.mp4/ }).waitFor()
    const { body } = await callFrom(page, 'GET', '/api/media')
    expect(body.data[0]).toMatchObject({
      name: 'long.mp4',
      type: 'video/mp4',
      size: film.length,
      sha256: createHash('sha256').update(film).digest('hex'),
    })
  })

  test('plays and seeks, and ends when the session is revoked from another window', async () => {
    await page.getByRole('button', { name: /^long\.mp4/ }).click()
    const video = page.getByRole('dialog', { name: 'long.mp4' }).locator('video')
    const at = await video.evaluate(async (element: HTMLVideoElement) => {
      await element.play()
      element.currentTime = 20
      await new Promise((seeked) => element.addEventListener('seeked', seeked, { once: true }))
      return element.currentTime
    })
    expect(at).toBeCloseTo(20, 0)
    const other = await newPerson(browser, server, 'ada@example.com')
    const { status } = await callFrom(other.page, 'POST', '/api/sessions/revoke', { which: 'others' })
    expect(status).toBeLessThan(300)
    const end = await video.evaluate(async (element: HTMLVideoElement) => {
      const failed = new Promise((fail) => element.addEventListener('error', fail, { once: true }))
      element.playbackRate = 8
      await failed
      return { code: element.error?.code, isWhole: element.currentTime >= element.duration - 1 }
    })
    expect(end).toEqual({ code: 2, isWhole: false })
    await other.context.close()
  })
})
