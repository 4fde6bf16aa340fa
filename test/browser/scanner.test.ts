// A mail scanner that loads every mail, runs it, waits and presses everything: nobody is signed in, and no link is spent.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { hasChromium, launchChromium, newContext, type Server, signInByCode, startDevelopment } from './browser'

setDefaultTimeout(60_000)

type Mail = { id: string; to: string; subject: string; text: string; html: string }

describe.skipIf(!hasChromium)('a scanner of mail', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  const inbox = async (): Promise<Mail[]> => (await (await fetch(`${server.origin}/inbox.json`)).json()).data
  const mailsOf = async (count: number): Promise<Mail[]> => {
    for (let tries = 0; tries < 200; tries++) {
      const mails = await inbox()
      if (mails.length >= count) return mails
      await Bun.sleep(25)
    }
    throw new Error('a mail is missing')
  }
  const post = async (context: BrowserContext, path: string, data: object): Promise<number> =>
    (await context.request.post(server.origin + path, { data, headers: { origin: server.origin } })).status()

  /** Presses whatever there is on a page, as often as it brings something new. */
  const pressAll = async (page: Page) => {
    for (let round = 0; round < 2; round++)
      for (const control of await page.locator('a, button, input[type=submit], [role=button]').all())
        await control.click({ timeout: 300, noWaitAfter: true }).catch(() => {})
  }

  /** Opens a mail in a browser of its own, and all it leads to; half a minute passes on each page. */
  const scan = async (mail: Mail) => {
    const scanner = await newContext(browser)
    await scanner.clock.install()
    const answers: string[] = []
    scanner.on('response', (response) => {
      if (response.request().method() !== 'GET')
        answers.push(`${new URL(response.url()).pathname} ${response.status()}`)
    })
    const page = await scanner.newPage()
    await page.setContent(mail.html)
    await page.clock.runFor(30_000)
    await pressAll(page)
    for (const link of mail.text.match(/https?:\S+/g) ?? []) {
      const opened = await scanner.newPage()
      await opened.goto(link)
      await opened.waitForLoadState('networkidle')
      await opened.clock.runFor(30_000)
      await pressAll(opened)
      await opened.waitForLoadState('networkidle')
    }
    const cookies = (await scanner.cookies()).map(({ name }) => name)
    await scanner.close()
    return { cookies, answers }
  }

  test('signs in nobody by any of our mails, and each still does what it is for', async () => {
    const [mine, guest] = [await newContext(browser), await newContext(browser)]
    const email = 'owner@example.com'
    const owner = await mine.newPage()
    await signInByCode(owner, server, email)
    expect(await post(mine, '/api/auth/step-up', {})).toBe(202)
    expect(await post(mine, '/api/invitations', { email: 'guest@example.com', role: 'viewer' })).toBe(201)
    expect(await post(mine, '/api/me/email', { email: 'new@example.com' })).toBe(202)
    const asking = await guest.newPage()
    await asking.goto(`${server.origin}/sign-in`)
    await asking.getByLabel('E-mail').fill('guest@example.com')
    await asking.keyboard.press('Enter')
    const { link } = await server.mailFor(asking)
    const before = await mailsOf(5)

    for (const mail of before) {
      const { cookies, answers } = await scan(mail)
      expect([mail.subject, cookies.filter((name) => name !== 'challenge')]).toEqual([mail.subject, []])
      expect([mail.subject, answers.filter((answer) => / 2\d\d$/.test(answer))]).toEqual([mail.subject, []])
    }

    expect((await inbox()).length).toBe(before.length)
    const me = await (await mine.request.get(`${server.origin}/api/me`)).json()
    expect(me.email).toBe(email)
    const opened = await guest.newPage()
    await opened.goto(link)
    await opened.getByRole('navigation').waitFor()
    expect((await guest.cookies()).map(({ name }) => name)).toContain('session')
    const offers = await (await guest.request.get(`${server.origin}/api/me/invitations`)).json()
    expect(offers.data.length).toBe(1)
    const change = before.find(({ to }) => to === 'new@example.com')!
    const [, challenge_id, secret] = /link#(chl_\w+)\.([\w-]+)/.exec(change.text)!
    expect(await post(mine, '/api/auth/link', { challenge_id, secret })).toBe(200)
    await Promise.all([mine.close(), guest.close()])
  })
})
