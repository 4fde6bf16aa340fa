// The devices of the account: what is listed, and signing them out.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { hasChromium, launchChromium, newContext, type Server, signInByCode, startDevelopment } from './browser'

const desktop = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36'
const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1'

setDefaultTimeout(30_000)

describe.skipIf(!hasChromium)('the devices of an account', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  let [desk, pocket] = [] as unknown as [Page, Page]
  let contexts: BrowserContext[] = []

  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })
  beforeEach(async () => {
    await Promise.all(contexts.map((context) => context.close()))
    contexts = [await newContext(browser, { userAgent: desktop }), await newContext(browser, { userAgent: phone })]
    ;[desk, pocket] = (await Promise.all(contexts.map((context) => context.newPage()))) as [Page, Page]
    const email = `${crypto.randomUUID()}@example.com`
    await signInByCode(pocket, server, email)
    await signInByCode(desk, server, email)
    await desk.getByRole('link', { name: 'Account' }).click()
    await sessions().getByText('Safari on iPhone').waitFor()
  })

  const sessions = () => desk.getByRole('list', { name: 'Devices' })
  const rows = () => sessions().getByRole('listitem')
  const isSignedOut = async (page: Page) => {
    await page.goto(`${server.origin}/account`)
    await page.getByLabel('E-mail').waitFor()
    expect(new URL(page.url()).searchParams.get('to')).toBe('/account')
  }
  const isSignedIn = async (page: Page) => {
    await page.goto(`${server.origin}/account`)
    await page.getByRole('heading', { name: 'Devices' }).waitFor()
  }

  test('are listed with the present one marked', async () => {
    expect(await rows().count()).toBe(2)
    const current = rows().filter({ hasText: 'This device' })
    expect(await current.count()).toBe(1)
    expect(await current.textContent()).toContain('Chrome on Linux')
  })

  test('signing out one asks first, naming it, and signs out that one only', async () => {
    await desk.getByRole('button', { name: 'Sign out Safari on iPhone' }).click()
    const dialog = desk.getByRole('dialog', { name: 'Sign out Safari on iPhone?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await isSignedIn(pocket)
    await desk.getByRole('button', { name: 'Sign out Safari on iPhone' }).click()
    await dialog.getByRole('button', { name: 'Sign out' }).click()
    await desk.getByText('Safari on iPhone is signed out.').waitFor()
    await desk.getByText('This is the only device').waitFor()
    await isSignedOut(pocket)
    await isSignedIn(desk)
  })

  test('one that is signed out elsewhere is led to sign-in by its next request, and told why', async () => {
    await desk.getByRole('button', { name: 'Sign out all others' }).click()
    await desk.getByRole('dialog').getByRole('button', { name: 'Sign out all others' }).click()
    await desk.getByText('All other devices are signed out.').waitFor()
    await pocket.getByRole('link', { name: 'Account' }).click()
    await pocket.getByText('Your session has ended.').waitFor()
    expect(new URL(pocket.url()).searchParams.get('to')).toBe('/account')
    await isSignedIn(desk)
  })

  test('signing out everywhere ends this one too', async () => {
    await desk.getByRole('button', { name: 'Sign out everywhere' }).click()
    await desk.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await desk.getByLabel('E-mail').waitFor()
    await isSignedOut(desk)
    await isSignedOut(pocket)
  })

  test('a refusal stays in the dialog, in words', async () => {
    await desk.route('**/api/sessions/revoke', (route) => route.fulfill({ status: 503, json: { code: 'unavailable' } }))
    await desk.getByRole('button', { name: 'Sign out everywhere' }).click()
    await desk.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await desk.getByRole('dialog').getByText('Not available right now.').waitFor()
    await isSignedIn(desk)
  })

  test('a list that cannot be loaded says why and can be asked for again', async () => {
    await desk.route('**/api/sessions', (route) => route.fulfill({ status: 500, json: { code: 'internal' } }), {
      times: 1,
    })
    await desk.reload()
    await desk.getByText('Something went wrong on our side.').waitFor()
    await desk.getByRole('button', { name: 'Try again' }).click()
    await sessions().getByText('Safari on iPhone').waitFor()
  })

  test('everything works by the keyboard, the focus is seen and never lost', async () => {
    const focus = () =>
      desk.evaluate(() => {
        const style = getComputedStyle(document.activeElement!)
        return { name: document.activeElement!.textContent, outline: style.outlineStyle !== 'none' }
      })
    await desk.reload()
    await sessions().getByText('Safari on iPhone').waitFor()
    const tabTo = async (name: string) => {
      for (let steps = 0; steps < 30; steps++) {
        await desk.keyboard.press('Tab')
        if ((await focus()).name === name) return
      }
      throw new Error(`${name} cannot be reached`)
    }
    await tabTo('Skip to content')
    await tabTo('Sign out all others')
    expect(await focus()).toEqual({ name: 'Sign out all others', outline: true })
    await desk.keyboard.press('Enter')
    await desk.getByRole('dialog').waitFor()
    expect(await focus()).toEqual({ name: 'Cancel', outline: true })
    await desk.keyboard.press('Escape')
    expect(await focus()).toEqual({ name: 'Sign out all others', outline: true })
    await desk.keyboard.press('Enter')
    await desk.getByRole('dialog').waitFor()
    await desk.keyboard.press('Tab')
    await desk.keyboard.press('Space')
    await desk.getByText('This is the only device').waitFor()
    expect(await desk.evaluate(() => document.activeElement !== document.body)).toBe(true)
  })
})
