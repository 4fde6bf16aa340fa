// Every page at each width, in light and dark: accessible, whole, and under its content policy. PICTURES=<folder> keeps what was seen.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import axe, { type AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import {
  complaintsOf,
  hasChromium,
  launchChromium,
  newContext,
  type Server,
  signInByCode,
  startDevelopment,
} from './browser'

const picture = readFileSync('docs/console.png').toString('base64')
const widths = [1280, 390, 360]
const schemes = ['light', 'dark'] as const
const looks = widths.flatMap((width) => schemes.map((scheme) => [width, scheme] as const))

const findings = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

const pages = [
  ['overview', '/', 'Working'],
  ['media', '/media', 'sunrise.png'],
  ['projects', '/projects', 'Launch film'],
  ['members', '/members', 'What each role may do'],
  ['keys', '/keys', 'Nightly import'],
  ['audit', '/audit', 'key.created'],
  ['workspaces', '/workspaces', 'Settings of'],
  ['account', '/account', 'This device'],
] as const

const dialogs = [
  ['invite', '/members', 'Invite'],
  ['file', '/media', 'sunrise.png'],
  ['new-project', '/projects', 'New project'],
  ['rotate', '/keys', 'Rotate Nightly import'],
  ['new-key', '/keys', 'New key'],
] as const

/** What a month of use would look like: usage is written once a minute, which is later than anybody looks here. */
const busyMonth = () =>
  Array.from({ length: 30 }, (_, ago) => ({
    day: new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10),
    ...{ project_id: null, key_id: null },
    requests: Math.round(900 + 500 * Math.sin(ago / 2) + 37 * (ago % 7)),
    refused: ago === 11 ? 260 : 0,
  }))

/** Gives a workspace something to show, by the API as the page has it. */
const furnish = async (page: Page, longName?: string) => {
  const made = await page.evaluate(
    async ({ png, longName }) => {
      const send = (path: string, body: object, method = 'POST') =>
        fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      const me = await (await fetch('/api/me')).json()
      const wanted = [
        send('/api/me', { name: longName ?? 'Ada Lovelace' }, 'PATCH'),
        send(`/api/workspaces/${me.workspaces[0].id}`, { name: longName ?? 'Analytical Engines' }, 'PATCH'),
        send('/api/projects', { name: longName ?? 'Launch film', restricted: true }),
        send('/api/keys', { name: longName ?? 'Nightly import', level: 'write' }),
        send('/api/keys', { name: 'Player on the web site', level: 'read', environment: 'test' }),
        send('/api/invitations', { email: 'grace@example.com', role: 'member' }),
        send('/api/invitations', { email: 'linus@example.com', role: 'viewer' }),
        ...['sunrise.png', 'notes-from-the-first-meeting.txt'].map((name) =>
          fetch('/api/media', {
            method: 'POST',
            headers: { 'x-file-name': (longName ?? '') + name },
            body: name.endsWith('png') ? Uint8Array.from(atob(png), (c) => c.charCodeAt(0)) : 'Notes',
          }),
        ),
      ]
      return (await Promise.all(wanted)).map(({ status }) => status)
    },
    { png: picture, longName },
  )
  expect(made.filter((status) => status >= 300)).toEqual([])
}

setDefaultTimeout(60_000)

describe.skipIf(!hasChromium)('every page', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  test.each(looks)('is accessible and whole at %d px in %s', async (width, colorScheme) => {
    const options = { viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' as const }
    const context = await newContext(browser, options)
    const complaints = complaintsOf(context)
    const page = await context.newPage()
    const seen: Record<string, string[]> = {}
    const look = async (name: string) => {
      seen[name] = await findings(page)
      const { scrolls } = await page.evaluate(() => ({ scrolls: document.documentElement.scrollWidth > innerWidth }))
      if (scrolls) seen[name].push('it scrolls sideways')
      const folder = process.env.PICTURES
      if (folder) await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true })
    }
    const email = `${width}-${colorScheme}@example.com`

    await page.goto(`${server.origin}/account`)
    await page.getByLabel('E-mail').waitFor()
    await look('sign-in')
    await page.getByLabel('E-mail').fill('nobody')
    await page.keyboard.press('Enter')
    await page.getByText('does not look like').waitFor()
    await look('sign-in-error')
    await page.getByLabel('E-mail').fill(email)
    await page.keyboard.press('Enter')
    await page.getByLabel('Code').waitFor()
    await look('code')
    await page.goto(`${server.origin}/link#chl_none.none`)
    await page.getByText('no longer works').waitFor()
    await look('link')
    await signInByCode(page, server, email)
    await look('overview-first')
    await furnish(page)
    await context.route('**/api/usage?*', (route) => route.fulfill({ json: { data: busyMonth(), next_cursor: null } }))
    for (const [name, path, ready] of pages) {
      await page.goto(server.origin + path)
      await page.getByText(ready).first().waitFor()
      await page.waitForLoadState('networkidle')
      await look(name)
    }
    for (const [name, path, opener] of dialogs) {
      await page.goto(server.origin + path)
      await page.getByRole('main').getByRole('button', { name: opener }).first().click()
      await page.getByRole('dialog').waitFor()
      await page.waitForLoadState('networkidle')
      if (name === 'file') {
        await page.getByRole('button', { name: 'Make a link' }).click()
        await page.getByText('Ends in').waitFor()
      }
      await look(name)
    }
    await page.getByLabel('Name').fill('Shown once')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Shown once is made' }).waitFor()
    await look('key-shown-once')
    await page.goto(`${server.origin}/projects`)
    await page.getByRole('link', { name: 'Launch film' }).click()
    await page.getByText('Members of this project').waitFor()
    await look('project')
    await page.goto(`${server.origin}/account`)
    await page.getByRole('button', { name: 'Delete account' }).click()
    await look('dialog')
    await page.keyboard.press('Escape')
    if (width < 800) {
      await page.getByRole('button', { name: 'Menu' }).click()
      await look('menu')
    }
    await page.goto(`${server.origin}/inbox`)
    await page.getByRole('article').waitFor()
    await look('inbox')

    expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((name) => [name, []])))
    expect(complaints).toEqual([])
    await context.close()
  })

  test.each([1280, 360])('stays whole at %d px when everything has the longest name', async (width) => {
    const context = await newContext(browser, { viewport: { width, height: 800 } })
    const page = await context.newPage()
    await signInByCode(page, server, `${'w'.repeat(64)}@${'w'.repeat(50)}${width}.example.com`)
    await furnish(page, 'W'.repeat(80))
    const wide: string[] = []
    const look = async (name: string) => {
      const over = await page.evaluate(
        ([shown, most]) =>
          [...document.querySelectorAll(shown)]
            .filter((part) => part.getBoundingClientRect().right > most)
            .map((part) => `${part.tagName} ${part.className}`),
        ['main *, dialog, nav *', width] as const,
      )
      if (over.length > 0) wide.push(`${name}: ${[...new Set(over)].join(', ')}`)
    }
    for (const [name, path] of pages) {
      await page.goto(server.origin + path)
      await page.waitForLoadState('networkidle')
      await look(name)
    }
    await page.goto(`${server.origin}/media`)
    await page.getByRole('button', { name: /WWW.*png/ }).click()
    await page.getByRole('button', { name: 'Make a link' }).click()
    await page.getByText('Ends in').waitFor()
    await look('file')
    expect(wide).toEqual([])
    await context.close()
  })

  test('stops script and style that are not ours', async () => {
    const context = await newContext(browser)
    const complaints = complaintsOf(context)
    const page = await context.newPage()
    await page.goto(`${server.origin}/sign-in`)
    await page.waitForFunction(() => document.title.startsWith('Sign in'))
    await page.evaluate(() => {
      const script = document.createElement('script')
      try {
        script.text = 'document.title = "owned"'
        document.body.append(script)
      } catch {
        // Trusted types refuse it before the content policy has to.
      }
    })
    expect(await page.title()).toBe('Sign in · Latchkey')
    expect(complaints).not.toEqual([])
    await context.close()
  })
})
