// The link in a mail: one click where it was asked for, worthless to anybody else.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, BrowserContext } from 'playwright-core'
import { hasChromium, launchChromium, newContext, type Server, startDevelopment } from './browser'

setDefaultTimeout(30_000)

describe.skipIf(!hasChromium)('the link in a mail', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  const ask = async (context: BrowserContext, from = '/sign-in') => {
    const page = await context.newPage()
    await page.goto(server.origin + from)
    await page.getByLabel('E-mail').fill(`${crypto.randomUUID()}@example.com`)
    await page.keyboard.press('Enter')
    return { page, ...(await server.mailFor(page)) }
  }
  const hasSession = async (context: BrowserContext) => (await context.cookies()).some(({ name }) => name === 'session')

  test('signs in the browser that asked, leaves no secret in the address or history, and the waiting tab goes on', async () => {
    const context = await newContext(browser)
    const { page, link } = await ask(context)
    const opened = await context.newPage()
    const addresses: string[] = []
    opened.on('framenavigated', (frame) => void addresses.push(frame.url()))
    await opened.goto(link)
    await opened.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(addresses.at(-1)).toBe(`${server.origin}/`)
    await opened.goBack()
    expect(opened.url()).not.toContain('#')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await context.close()
  })

  test('leads back to the place that sign-in kept', async () => {
    const context = await newContext(browser)
    const { link } = await ask(context, '/account?from=mail')
    const opened = await context.newPage()
    await opened.goto(link)
    await opened.waitForURL('**/account?from=mail')
    await context.close()
  })

  test('works from the HTML of the mail as the inbox frames it', async () => {
    const context = await newContext(browser)
    await ask(context)
    const inbox = await context.newPage()
    await inbox.goto(`${server.origin}/inbox`)
    await inbox.getByLabel('HTML').check()
    const opens = context.waitForEvent('page')
    await inbox.frameLocator('iframe').getByRole('link', { name: 'Sign in' }).click()
    await (await opens).getByRole('heading', { name: 'Overview' }).waitFor()
    await context.close()
  })

  test('says in another browser to type the code where one asked, and consumes nothing', async () => {
    const [mine, other] = [await newContext(browser), await newContext(browser)]
    const { page, link, code } = await ask(mine)
    const stranger = await other.newPage()
    await stranger.goto(link)
    await stranger.getByText('This link belongs to another browser').waitFor()
    expect(stranger.url()).toBe(`${server.origin}/link`)
    await stranger.getByRole('button', { name: 'Start again here' }).click()
    await stranger.getByLabel('E-mail').waitFor()
    expect(await hasSession(other)).toBe(false)
    await page.getByLabel('Code').fill(code)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(await hasSession(mine)).toBe(true)
    await Promise.all([mine.close(), other.close()])
  })

  test('survives a scanner that opens it, runs it and presses everything', async () => {
    const [mine, other] = [await newContext(browser), await newContext(browser)]
    const { link } = await ask(mine)
    const scanner = await other.newPage()
    for (let round = 0; round < 3; round++) {
      await scanner.goto('about:blank')
      await scanner.goto(link)
      await scanner.waitForLoadState('networkidle')
      for (const control of await scanner.locator('a, button').all())
        await control.click({ timeout: 500 }).catch(() => {})
      await scanner.waitForLoadState('networkidle')
    }
    expect(await hasSession(other)).toBe(false)
    const opened = await mine.newPage()
    await opened.goto(link)
    await opened.getByRole('heading', { name: 'Overview' }).waitFor()
    await Promise.all([mine.close(), other.close()])
  })

  test('is dead once used, and says so', async () => {
    const context = await newContext(browser)
    const { link } = await ask(context)
    const opened = await context.newPage()
    await opened.goto(link)
    await opened.getByRole('heading', { name: 'Overview' }).waitFor()
    await opened.goto('about:blank')
    await opened.goto(link)
    await opened.getByText('This link no longer works').waitFor()
    await context.close()
  })

  test('can be tried again where the server could not be reached', async () => {
    const context = await newContext(browser)
    const { link } = await ask(context)
    const opened = await context.newPage()
    await opened.route('**/api/auth/link', (route) => route.abort(), { times: 1 })
    await opened.goto(link)
    await opened.getByRole('button', { name: 'Try again' }).click()
    await opened.getByRole('heading', { name: 'Overview' }).waitFor()
    await context.close()
  })

  test('its page is kept nowhere and found nowhere', async () => {
    const { headers } = await fetch(`${server.origin}/link`)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-robots-tag')).toBe('noindex, nofollow')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('etag')).toBeNull()
  })
})
