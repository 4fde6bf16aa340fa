// Signing in and out as a person does it: real pages, real mail, real cookies.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import {
  complaintsOf,
  hasChromium,
  launchChromium,
  newContext,
  type Server,
  signInByCode,
  startDevelopment,
} from './browser'

setDefaultTimeout(30_000)

describe.skipIf(!hasChromium)('signing in', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  let [context, page, complaints] = [] as unknown as [BrowserContext, Page, string[]]
  let email = ''
  const here = () => new URL(page.url()).pathname + new URL(page.url()).search

  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })
  beforeEach(async () => {
    context = await newContext(browser)
    complaints = complaintsOf(context)
    page = await context.newPage()
    email = `${crypto.randomUUID()}@example.com`
  })
  afterEach(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })

  const askForCode = async () => {
    await page.goto(`${server.origin}/sign-in`)
    await page.getByLabel('E-mail').fill(email)
    await page.getByRole('button', { name: 'Send me a code' }).click()
    return server.mailFor(page)
  }

  test('a deep link leads through sign-in and back to its place, and no script holds a token', async () => {
    await page.goto(`${server.origin}/account`)
    await page.getByLabel('E-mail').fill(email)
    await page.keyboard.press('Enter')
    await page.getByLabel('Code').fill((await server.mailFor(page)).code)
    await page.getByRole('heading', { name: 'Account' }).waitFor()
    expect(here()).toBe('/account')
    const held = await page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
    )
    expect(held).not.toMatch(/eyJ|session=/)
    expect((await context.cookies()).find(({ name }) => name === 'session')).toMatchObject({ httpOnly: true })
  })

  test('a code typed in small letters or pasted in a sentence is sent by itself', async () => {
    const { code } = await askForCode()
    const field = page.getByLabel('Code')
    await field.pressSequentially(code.toLowerCase().replace('-', '').slice(0, 5))
    expect(await field.inputValue()).toBe(code.slice(0, 6))
    await field.fill(`Your code is ${code.toLowerCase()}.`)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('what is no address is said beside the field, which keeps the focus', async () => {
    await page.goto(`${server.origin}/sign-in`)
    const field = page.getByLabel('E-mail')
    await field.fill('nobody')
    await page.keyboard.press('Enter')
    await page.getByText('This does not look like an e-mail address.').waitFor()
    expect(await field.evaluate((input) => [input === document.activeElement, input.ariaInvalid])).toEqual([
      true,
      'true',
    ])
    expect(await field.getAttribute('aria-describedby')).toContain(
      (await page.getByText('This does not look like').getAttribute('id'))!,
    )
  })

  test('a wrong code is said beside the field; the fifth says what to do, and nothing is offered any more that cannot help', async () => {
    const { code } = await askForCode()
    const wrong = ['2222-2222', '3333-3333', '4444-4444', '5555-5555', '6666-6666'].filter((guess) => guess !== code)
    for (const [at, guess] of wrong.entries()) {
      const answered = page.waitForResponse('**/api/auth/verify')
      await page.getByLabel('Code').fill(guess)
      await answered
      await page.getByText(at < 4 ? 'That code is wrong or has expired' : 'Too many wrong codes').waitFor()
    }
    await page.getByRole('button', { name: /Send again/ }).waitFor({ state: 'detached' })
    await page.getByLabel('Code').fill(code)
    await page.getByText('Too many wrong codes').waitFor()
    await page.getByRole('link', { name: 'Start over' }).click()
    await page.getByRole('button', { name: 'Send me a code' }).click()
    await page.getByRole('button', { name: /Send again/ }).waitFor()
    await page.getByLabel('Code').fill((await server.mailFor(page)).code)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('a code is sent again only once the wait is over, and the page counts it down', async () => {
    await page.clock.install()
    await askForCode()
    const again = page.getByRole('button', { name: 'Send again' })
    expect(await again.textContent()).toMatch(/0:(30|29)/)
    expect(await again.getAttribute('aria-disabled')).toBe('true')
    const sent: string[] = []
    await page.route('**/api/auth/resend', (route) => {
      sent.push(route.request().url())
      const body = { challenge_id: 'chl_1', expires_at: '', resend_after_seconds: 30, code_format: 'XXXX-XXXX' }
      return route.fulfill({ status: 202, json: body })
    })
    await again.click({ force: true })
    expect(sent).toHaveLength(0)
    await page.clock.runFor(31_000)
    await again.click()
    await page.getByText('Sent again').waitFor()
    expect(sent).toHaveLength(1)
  })

  test('back from the code leads to the address as it was typed', async () => {
    await askForCode()
    await page.goBack()
    expect(await page.getByLabel('E-mail').inputValue()).toBe(email)
  })

  test('a page that a phone dropped still waits for its code', async () => {
    const { code } = await askForCode()
    await page.reload()
    await page.getByLabel('Code').fill(code)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
  })

  test('the place to come back to is never another origin', async () => {
    for (const to of ['//example.com', '/\\example.com', '/.//example.com', 'https://example.com', '/\t/example.com']) {
      await page.goto(`${server.origin}/sign-in?to=${encodeURIComponent(to)}`)
      await page.getByLabel('E-mail').fill(`${crypto.randomUUID()}@example.com`)
      const asked = page.waitForRequest('**/api/auth/start')
      await page.keyboard.press('Enter')
      expect((await asked).postDataJSON()).not.toHaveProperty('redirect')
    }
  })

  test('signing out leads to sign-in, and back shows nothing of the account', async () => {
    await signInByCode(page, server, email)
    await page.getByRole('link', { name: 'Account' }).click()
    await page.getByText(email).first().waitFor()
    await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
    await page.goBack()
    await page.getByLabel('E-mail').waitFor()
    expect(await page.locator('body').textContent()).not.toContain(email)
    expect((await context.cookies()).map(({ name }) => name)).not.toContain('session')
  })

  test('everything is said in Chinese to who reads Chinese, in the mail too', async () => {
    const chinese = await newContext(browser, { locale: 'zh-CN' })
    const tab = await chinese.newPage()
    await tab.goto(`${server.origin}/sign-in`)
    await tab.getByLabel('邮箱').fill(email)
    await tab.getByRole('button', { name: '发送验证码' }).click()
    const { code, text } = await server.mailFor(tab)
    await tab.getByLabel('验证码').fill(code)
    await tab.getByRole('heading', { name: '概览' }).waitFor()
    expect(text).toMatch(/[\u4e00-\u9fff]/)
    expect(await tab.evaluate(() => document.documentElement.lang)).toBe('zh-Hans')
    await chinese.close()
  })
})
