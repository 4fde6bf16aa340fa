// A real server on a port of its own and a real Chromium to look at it with.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Env, readConfig } from '../../src/config'
import { writePages } from '../../src/console/build'
import type { Smtp } from '../smtp'
import { newTestLog } from '../support'
import { newFolder } from '../template'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))

/** Whether these suites can run here. */
export const hasChromium = executablePath !== undefined
if (!hasChromium) console.log('The console is not tested in a browser: there is no /usr/bin/chromium.')

const quiet = ['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map((part) => `--disable-${part}`)

export const launchChromium = () =>
  chromium.launch({ executablePath: executablePath!, args: ['--headless', '--no-sandbox', '--no-first-run', ...quiet] })

/** A browser of its own, as far as cookies go. What it waits for in vain fails before the test runs out of time. */
export const newContext = async (browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> => {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(8000)
  return context
}

type Mail = { to: string | string[]; text: string }
const codeIn = (text: string) => /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(text)?.[0]

/** The program as `bun run start` runs it, on fresh data, with the console as its sources are now. `smtp`: where mail goes. */
export const startDevelopment = async ({ env = {}, smtp }: { env?: Env; smtp?: Smtp } = {}) => {
  await writePages()
  const { startServer } = await import('../../src/runtime/bun')
  const quick = { LATCHKEY_START_FLOOR_MS: '0', LATCHKEY_RATE_LIMITS: 'off' }
  const base = { LATCHKEY_ENV: 'development', LATCHKEY_DATA_DIR: newFolder(), ...quick }
  const mailing = smtp ? { LATCHKEY_SMTP_URL: smtp.url, LATCHKEY_MAIL_FROM: 'Latchkey <robot@example.com>' } : {}
  const settle = (port = 0) =>
    readConfig({ ...base, ...mailing, LATCHKEY_PORT: String(port), ...env }, { source: 'source' })
  const { config, stop } = await startServer(settle, newTestLog().log)
  const { origin } = config

  /** Newest first. */
  const mails = async (): Promise<Mail[]> =>
    smtp ? smtp.received.toReversed() : (await (await fetch(`${origin}/inbox.json`)).json()).data

  const mailWith = async (wanted: (mail: Mail) => boolean): Promise<{ code: string; link: string; text: string }> => {
    for (let tries = 0; tries < 400; tries++) {
      const text = (await mails()).find((mail) => wanted(mail))?.text ?? ''
      const code = codeIn(text)
      const link = /https?:\S+\/link#\S+/.exec(text)?.[0]
      if (code && link) return { code, link, text }
      await Bun.sleep(25)
    }
    throw new Error('no mail has come')
  }

  /** The mail with the code that a page waits for, as soon as it has come. */
  const mailFor = async (page: Page) => {
    await page.getByRole('textbox', { name: /Code|验证码/ }).waitFor()
    const { challengeId } = JSON.parse(await page.evaluate(() => sessionStorage.getItem('latchkey.pending') ?? '{}'))
    return mailWith(({ text }) => text.includes(challengeId))
  }

  /** The code of the mail to `email` that `act` brings about. */
  const codeAfter = async (email: string, act: () => Promise<unknown>): Promise<string> => {
    const old = new Set((await mails()).map(({ text }) => text))
    await act()
    const isNew = ({ to, text }: Mail) => [to].flat().includes(email) && !old.has(text) && codeIn(text) !== undefined
    return (await mailWith(isNew)).code
  }
  return { origin, mails, mailFor, codeAfter, stop }
}
export type Server = Awaited<ReturnType<typeof startDevelopment>>

/** Signs in on the sign-in page by the code that was mailed. */
export const signInByCode = async (page: Page, server: Server, email: string) => {
  await page.goto(`${server.origin}/sign-in`)
  await page.getByLabel('E-mail').fill(email)
  await page.keyboard.press('Enter')
  await page.getByLabel('Code').fill((await server.mailFor(page)).code)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

/** Calls the API as the page's session does. */
export const callFrom = (
  page: Page,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) =>
  page.evaluate(
    async ({ method, path, body, headers }) => {
      const json = body ? { 'content-type': 'application/json' } : {}
      const response = await fetch(path, {
        ...{ method, headers: { ...json, ...headers } },
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
    },
    { method, path, body, headers },
  )

/** Somebody's own browser, signed in. */
export const newPerson = async (browser: Browser, server: Server, email: string) => {
  const context = await newContext(browser)
  const complaints = complaintsOf(context)
  const page = await context.newPage()
  await signInByCode(page, server, email)
  return { context, complaints, page, email }
}

/** What a page complained about: exceptions, and anything its content policy stopped. */
export const complaintsOf = (context: BrowserContext): string[] => {
  const complaints: string[] = []
  context.on('weberror', (error) => void complaints.push(error.error().message))
  context.on('console', (message) => {
    if (/Content Security Policy|TrustedScript|TrustedHTML/i.test(message.text())) complaints.push(message.text())
  })
  return complaints
}
