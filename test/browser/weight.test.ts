// What the console costs a browser: bytes over the wire, requests, and the time until something is seen, from a trace.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { hasChromium, launchChromium, newContext, type Server, signInByCode, startDevelopment } from './browser'

setDefaultTimeout(60_000)

type TraceEvent = {
  name: string
  ts: number
  args?: { data?: { isLoadingMainFrame?: boolean; documentLoaderURL?: string } }
}
const generous = { firstPaintMs: 1500, gzippedBytes: 150_000 }

describe.skipIf(!hasChromium)('the weight of the console', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  test('is seen soon, as a trace tells', async () => {
    const context = await newContext(browser)
    const page = await context.newPage()
    await browser.startTracing(page, { categories: ['loading', 'devtools.timeline', 'blink.user_timing'] })
    await page.goto(`${server.origin}/sign-in`)
    await page.getByLabel('E-mail').waitFor()
    await page.waitForLoadState('networkidle')
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
    const starts = trace.traceEvents.filter(
      ({ name, args }) => name === 'navigationStart' && args?.data?.documentLoaderURL?.startsWith(server.origin),
    )
    const paint = trace.traceEvents.find(({ name }) => name === 'firstContentfulPaint')!
    const ms = (paint.ts - starts.at(-1)!.ts) / 1000
    console.log(`first contentful paint of the sign-in page: ${ms.toFixed(0)} ms`)
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThan(generous.firstPaintMs)
    await context.close()
  })

  test('is under 150 kB gzipped, all from its own origin, on every page', async () => {
    const context = await newContext(browser)
    const page = await context.newPage()
    const bodies = new Map<string, Promise<Buffer>>()
    const elsewhere: string[] = []
    page.on('response', (response) => {
      const url = new URL(response.url())
      if (url.origin !== server.origin) elsewhere.push(response.url())
      if (url.pathname.startsWith('/assets/')) bodies.set(url.pathname, response.body())
    })
    await signInByCode(page, server, 'ada@example.com')
    for (const path of ['/media', '/projects', '/members', '/keys', '/audit', '/workspaces', '/account', '/inbox']) {
      await page.goto(server.origin + path)
      await page.waitForLoadState('networkidle')
    }
    const sizes = (await Promise.all(bodies.values())).map((body) => Bun.gzipSync(new Uint8Array(body)).length)
    const all = sizes.reduce((sum, size) => sum + size, 0)
    console.log(`scripts, styles and icon of every page: ${all} B gzipped`)
    expect(sizes.length).toBeGreaterThan(2)
    expect(all).toBeLessThan(generous.gzippedBytes)
    expect(elsewhere).toEqual([])
    await context.close()
  })
})
