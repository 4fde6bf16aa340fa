// The work that shows a person, done by the real page: nobody has to press anything, and a known device has none to do.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser } from 'playwright-core'
import { hasChromium, launchChromium, newContext, type Server, signInByCode, startDevelopment } from './browser'

setDefaultTimeout(60_000)

describe.skipIf(!hasChromium)('where a person is asked for', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  beforeAll(async () => {
    server = await startDevelopment({ env: { LATCHKEY_HUMAN: 'altcha' } })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  test('the page signs in by doing the work, and once it is known by doing none', async () => {
    const context = await newContext(browser)
    const page = await context.newPage()
    const starts: number[] = []
    page.on('response', (response) => {
      if (response.url().endsWith('/api/auth/start')) starts.push(response.status())
    })
    await signInByCode(page, server, 'ada@example.com')
    expect(starts).toEqual([403, 202])
    expect((await context.cookies()).find(({ name }) => name === 'device')).toMatchObject({ httpOnly: true })
    await context.clearCookies({ name: 'session' })
    await signInByCode(page, server, 'ada@example.com')
    expect(starts).toEqual([403, 202, 202])
    await context.close()
  })
})
