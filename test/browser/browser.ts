// A real server on a port of its own and a real Chromium to look at it with.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { readConfig } from '../../src/config'
import { writePages } from '../../src/console/build'
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

/** The program as `bun run start` runs it, on fresh data, with the console as its sources are now. */
export const startDevelopment = async () => {
  await writePages()
  const { startServer } = await import('../../src/runtime/bun')
  const folder = newFolder()
  const settle = (port = 0) => {
    const env = { LATCHKEY_ENV: 'development', LATCHKEY_DATA_DIR: folder, LATCHKEY_PORT: String(port) }
    return readConfig({ ...env, LATCHKEY_START_FLOOR_MS: '0' }, { source: 'source' })
  }
  const { config, stop } = await startServer(settle, newTestLog().log)
  const { origin } = config

  /** The mail with the code that a page waits for, as soon as it has come. */
  const mailFor = async (page: Page): Promise<{ code: string; link: string; text: string }> => {
    await page.getByRole('textbox', { name: /Code|验证码/ }).waitFor()
    const { challengeId } = JSON.parse(await page.evaluate(() => sessionStorage.getItem('latchkey.pending') ?? '{}'))
    for (let tries = 0; tries < 200; tries++) {
      const { data } = (await (await fetch(`${origin}/inbox.json`)).json()) as { data: { text: string }[] }
      const text = data.find((mail) => mail.text.includes(challengeId))?.text ?? ''
      const code = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(text)?.[0]
      const link = /https?:\S+\/link#\S+/.exec(text)?.[0]
      if (code && link) return { code, link, text }
      await Bun.sleep(25)
    }
    throw new Error('no mail has come')
  }
  return { origin, mailFor, stop }
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

/** What a page complained about: exceptions, and anything its content policy stopped. */
export const complaintsOf = (context: BrowserContext): string[] => {
  const complaints: string[] = []
  context.on('weberror', (error) => void complaints.push(error.error().message))
  context.on('console', (message) => {
    if (/Content Security Policy|TrustedScript|TrustedHTML/i.test(message.text())) complaints.push(message.text())
  })
  return complaints
}
