// Every flow by the keyboard alone: what is needed can be reached, is seen when it is, and gives the focus back.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newContext, type Server, startDevelopment } from './browser'

setDefaultTimeout(60_000)

const mostSteps = 80

describe.skipIf(!hasChromium)('by the keyboard alone', () => {
  let [server, browser, page] = [] as unknown as [Server, Browser, Page]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
    page = await (await newContext(browser)).newPage()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key)
  }
  const type = (text: string) => page.keyboard.type(text)
  /** What has the focus, as it is called, and whether one sees that. */
  const focused = () =>
    page.evaluate(() => {
      const it = document.activeElement as HTMLInputElement
      const name = it.ariaLabel ?? it.labels?.[0]?.textContent ?? it.textContent ?? ''
      return { name: name.trim(), isSeen: getComputedStyle(it).outlineStyle !== 'none' }
    })
  /** Goes on from wherever the focus is until it is on what is called so. */
  const reach = async (name: string, key = 'Tab') => {
    const passed: string[] = []
    for (let steps = 0; steps < mostSteps; steps++) {
      await press(key)
      const here = await focused()
      if (here.name.startsWith(name)) return expect(here).toEqual({ ...here, isSeen: true })
      passed.push(here.name)
    }
    throw new Error(`${name} cannot be reached, only ${[...new Set(passed)].join(' · ')}`)
  }
  const use = async (name: string, key = 'Enter') => {
    await reach(name)
    await press(key)
  }
  const title = (name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
  const said = (text: string) => page.getByText(text).first().waitFor()
  const dialog = (name: string) => page.getByRole('dialog', { name }).waitFor()
  const noDialog = () => page.getByRole('dialog').waitFor({ state: 'detached' })
  const open = async (name: string) => {
    await use(name)
    await title(name)
  }

  test('one signs in', async () => {
    await page.goto(server.origin)
    await title('Sign in')
    await type('ada@example.com')
    await press('Enter')
    await type((await server.mailFor(page)).code)
    await title('Overview')
  })

  test('one names the workspace, and makes and leaves another', async () => {
    await open('Workspaces')
    await reach('Name')
    await press('Control+a')
    await type('Engines')
    await press('Enter')
    await page.getByRole('navigation').getByText('Engines').waitFor()
    await use('New workspace')
    await dialog('New workspace')
    await type('Second')
    await press('Enter')
    await noDialog()
    const { body } = await callFrom(page, 'GET', '/api/workspaces')
    expect(body.data.map(({ name }: { name: string }) => name).sort()).toEqual(['Engines', 'Second'])
  })

  test('one invites somebody and takes it back', async () => {
    await open('Members')
    await use('Invite')
    await dialog('Invite')
    await type('grace@example.com')
    await reach('Role')
    await type('v')
    await press('Enter')
    await use('Send invitation')
    await said('grace@example.com is invited.')
    await use('Revoke')
    await page.getByRole('dialog').waitFor()
    await use('Revoke')
    await noDialog()
    await page.getByText('Revoked', { exact: true }).waitFor()
  })

  test('one makes a key, keeps it, rotates and revokes it', async () => {
    await open('API keys')
    await use('New key')
    await dialog('New key')
    await type('Robot')
    await press('Enter')
    await dialog('Robot is made')
    await reach('I have put the key in a safe place')
    await press('Space')
    await use('Done')
    await noDialog()
    await use('Rotate Robot')
    await dialog('Rotate Robot')
    await use('Rotate')
    await reach('I have put the key in a safe place')
    await press('Space')
    await use('Done')
    await noDialog()
    await use('Revoke Robot')
    await dialog('Revoke Robot?')
    await use('Revoke')
    await said('Refuses it already')
    await use('Close')
    await noDialog()
  })

  test('one uploads a file, looks at it, names it and deletes it', async () => {
    await open('Media')
    const chooser = page.waitForEvent('filechooser')
    await use('Upload')
    await (await chooser).setFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') })
    await page.getByRole('button', { name: /^note\.txt/ }).waitFor()
    await use('note.txt')
    await dialog('note.txt')
    await use('Rename')
    await reach('Name')
    await press('Control+a')
    await type('words.txt')
    await press('Enter')
    await dialog('words.txt')
    await use('Delete')
    await dialog('Delete words.txt?')
    await use('Delete')
    await said('words.txt is deleted.')
  })

  test('one narrows the audit down and exports it', async () => {
    await open('Audit')
    await reach('Action')
    await type('key.rotated')
    await press('Enter')
    await page.waitForURL('**/audit?action=key.rotated')
    const download = page.waitForEvent('download')
    await use('Export CSV')
    expect((await download).suggestedFilename()).toBe('audit.csv')
  })

  test('one changes the own name, and signs out', async () => {
    await open('Account')
    await reach('Your name')
    await press('Control+a')
    await type('Ada L')
    await press('Enter')
    await said('Saved.')
    await use('Sign out')
    await title('Sign in')
  })
})
