// A mail scanner with a real browser: it opens every link of every mail of ours, runs what is there, waits, presses everything.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newContext, newPerson, type Server, startDevelopment } from './browser'

setDefaultTimeout(120_000)

const waitMs = 30_000

describe.skipIf(!hasChromium)('a scanner', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  const linksIn = (text: string) => [...text.matchAll(/https?:\/\/[^\s"<>]+/g)].map(([url]) => url)
  const stateOf = async (page: Page) => {
    const paths = ['/api/me', '/api/sessions', '/api/devices', '/api/invitations', '/api/members']
    const answers = await Promise.all(paths.map((path) => callFrom(page, 'GET', path)))
    return JSON.stringify(answers).replace(/"last_(seen|used)_at":"[^"]*"/g, '')
  }

  test('that presses everything in all our mails gets no session, changes nothing, and breaks no link', async () => {
    const ada = await newPerson(browser, server, 'ada@example.com')
    const further = await newPerson(browser, server, 'ada@example.com')
    await callFrom(ada.page, 'POST', '/api/invitations', { email: 'guest@example.com', role: 'admin' })
    await callFrom(ada.page, 'POST', '/api/auth/step-up', {})
    await callFrom(ada.page, 'POST', '/api/me/email', { email: 'ada@example.org' })
    const asking = await (await newContext(browser)).newPage()
    await asking.goto(`${server.origin}/sign-in`)
    await asking.getByLabel('E-mail').fill('bob@example.com')
    await asking.keyboard.press('Enter')
    const signIn = await server.mailFor(asking)
    const subjects = ['Use this', 'Confirm that', 'You are invited', 'A new device', 'Sign in to']
    const mailed = async () => (await (await fetch(`${server.origin}/inbox.json`)).json()).data
    let mails = await mailed()
    while (!subjects.every((s) => mails.some((m: { subject: string }) => m.subject.startsWith(s))))
      mails = await mailed()
    const links: string[] = mails.flatMap((m: { text: string; html: string }) => linksIn(`${m.text} ${m.html}`))
    const before = await stateOf(ada.page)

    const scanner = await newContext(browser)
    const pages = await Promise.all(
      [...new Set(links)].map(async (link) => {
        const page = await scanner.newPage()
        await page.goto(link.replaceAll('&amp;', '&')).catch(() => {})
        return page
      }),
    )
    expect(pages.length).toBeGreaterThanOrEqual(7)
    await Bun.sleep(waitMs)
    for (const page of pages) {
      const controls = await page.locator('a, button, input').all()
      for (const control of controls) await control.click({ timeout: 300 }).catch(() => {})
    }
    expect((await scanner.cookies()).map(({ name }) => name)).not.toContain('session')
    expect(await stateOf(ada.page)).toBe(before)

    const linkOf = (subject: string) =>
      linksIn(mails.find((m: { subject: string }) => m.subject.startsWith(subject)).text).find((l) => l.includes('#'))!
    for (const subject of ['Confirm that', 'Use this']) {
      const opened = await ada.context.newPage()
      await opened.goto(linkOf(subject))
      await opened.getByRole('heading', { name: 'Overview' }).waitFor()
    }
    expect((await callFrom(ada.page, 'GET', '/api/me')).body.email).toBe('ada@example.org')
    const opened = await asking.context().newPage()
    await opened.goto(signIn.link)
    await opened.getByRole('heading', { name: 'Overview' }).waitFor()
    expect((await asking.context().cookies()).map(({ name }) => name)).toContain('session')
    for (const { context } of [ada, further]) await context.close()
    await Promise.all([scanner.close(), asking.context().close()])
  })
})
