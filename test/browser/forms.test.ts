// What is typed is safe: Back leaves a dialog and not the page, an error goes with what it was about, nothing is cut.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newPerson, type Server, startDevelopment } from './browser'

setDefaultTimeout(60_000)

describe.skipIf(!hasChromium)('the forms of the console', () => {
  let [server, browser, page, email] = [] as unknown as [Server, Browser, Page, string]
  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })
  beforeEach(async () => {
    email = `${crypto.randomUUID()}@example.com`
    ;({ page } = await newPerson(browser, server, email))
  })

  const title = (name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
  const dialog = () => page.getByRole('dialog')
  const noDialog = () => dialog().waitFor({ state: 'detached' })
  const press = (name: string, within: Page | ReturnType<typeof dialog> = page) =>
    within.getByRole('button', { name, exact: true }).click()
  const open = async (name: string) => {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
    await title(name)
  }
  const back = () => page.evaluate(() => history.back())
  const forward = () => page.evaluate(() => history.forward())

  test('Back and Forward leave an open dialog first, and the page with the next one', async () => {
    await open('Projects')
    await open('Workspaces')
    await open('Members')
    await page.goBack()
    await title('Workspaces')
    for (const leave of [back, forward]) {
      await press('New workspace')
      await dialog().getByLabel('Name').fill('Second')
      await leave()
      await noDialog()
      await page.waitForURL('**/workspaces')
      await title('Workspaces')
    }
    await page.goForward()
    await title('Members')
    await page.goBack()
    await title('Workspaces')
    await page.goBack()
    await title('Projects')
  })

  test('Back keeps what must be put away first, also after a reload', async () => {
    await open('API keys')
    await page.reload()
    await title('API keys')
    await press('New key')
    await dialog().getByLabel('Name').fill('Robot')
    await page.keyboard.press('Enter')
    const shown = page.getByRole('dialog', { name: 'Robot is made' })
    await shown.waitFor()
    await back()
    await page.waitForURL('**/keys')
    await shown.getByLabel('I have put the key in a safe place').check()
    await press('Done', shown)
    await noDialog()
    await page.goBack()
    await title('Overview')
  })

  test('what is wrong with a field is said until the field changes, and the focus stays where one types', async () => {
    await open('Projects')
    await press('New project')
    const [name, slug] = [dialog().getByLabel('Name'), dialog().getByLabel('Slug')]
    await page.keyboard.press('Enter')
    await dialog().getByText('This is needed.').waitFor()
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'name')
    await slug.pressSequentially('Not a slug')
    expect(await dialog().getByText('This is needed.').isVisible()).toBe(true)
    await name.pressSequentially('Launch')
    await dialog().getByText('This is needed.').waitFor({ state: 'detached' })
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'slug')
    expect(await slug.getAttribute('aria-invalid')).toBe('true')
    await slug.press('End')
    await slug.pressSequentially('x')
    expect(await slug.getAttribute('aria-invalid')).toBeNull()
    expect(await dialog().locator('.error:not(:empty)').count()).toBe(0)
  })

  test('a name that is too long is refused whole, in words', async () => {
    await open('Workspaces')
    await press('New workspace')
    const name = dialog().getByLabel('Name')
    await name.pressSequentially('n'.repeat(81))
    await page.keyboard.press('Enter')
    await dialog().getByText('at most 80 characters').waitFor()
    expect(await name.inputValue()).toHaveLength(81)
    await name.press('End')
    await name.press('Backspace')
    await page.keyboard.press('Enter')
    await title('Overview')
    const { body } = await callFrom(page, 'GET', '/api/workspaces')
    expect(body.data.map((one: { name: string }) => one.name)).toContain('n'.repeat(80))
  })

  test('the account ends by its address in any spelling, not by another one', async () => {
    await open('Account')
    await press('Delete account')
    await dialog().getByRole('textbox').fill(`x${email}`)
    await press('Delete account', dialog())
    await dialog().getByText('This is not the same.').waitFor()
    await dialog().getByRole('textbox').fill(email.toUpperCase())
    await dialog().getByText('This is not the same.').waitFor({ state: 'detached' })
    await press('Delete account', dialog())
    await page.getByText('Your account is deleted.').waitFor()
  })

  test('what was said about a workspace is gone once its person is signed out elsewhere', async () => {
    await open('Workspaces')
    await press('New workspace')
    await dialog().getByLabel('Name').fill('Secret plans')
    await page.keyboard.press('Enter')
    const toast = page.getByRole('status').getByText('Secret plans')
    await title('Overview')
    await toast.waitFor()
    await page.context().clearCookies()
    await page.getByRole('link', { name: 'Members' }).click()
    await title('Sign in')
    expect(await toast.count()).toBe(0)
  })
})
