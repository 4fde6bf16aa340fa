// What a person expects of every page: deep links, back, reload, the keyboard, both languages, and to be asked anew in place.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import {
  callFrom,
  hasChromium,
  launchChromium,
  newContext,
  newPerson,
  type Server,
  signInByCode,
  startDevelopment,
} from './browser'

setDefaultTimeout(60_000)

const pages = [
  ['/', 'Overview', '概览'],
  ['/media', 'Media', '媒体'],
  ['/projects', 'Projects', '项目'],
  ['/members', 'Members', '成员'],
  ['/keys', 'API keys', 'API 密钥'],
  ['/audit', 'Audit', '审计'],
  ['/workspaces', 'Workspaces', '工作区'],
  ['/account', 'Account', '账户'],
] as const

describe.skipIf(!hasChromium)('the console', () => {
  let [server, browser, page] = [] as unknown as [Server, Browser, Page]
  let [complaints, email]: [string[], string] = [[], '']

  beforeAll(async () => {
    server = await startDevelopment({ env: { LATCHKEY_HUMAN: 'altcha' } })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })
  beforeEach(async () => {
    email = `${crypto.randomUUID()}@example.com`
    ;({ page, complaints } = await newPerson(browser, server, email))
  })

  const title = (name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
  const dialog = (name?: string) => page.getByRole('dialog', name ? { name } : {})
  const go = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click()

  test('every page has an address that can be opened, reloaded and gone back to', async () => {
    for (const [path, name] of pages) {
      await page.goto(server.origin + path)
      await title(name)
      await page.reload()
      await title(name)
      // The heading is there a moment before the document is named after it.
      await page.waitForFunction((wanted) => document.title === wanted, `${name} · Latchkey`)
      expect(new URL(page.url()).pathname).toBe(path)
    }
    await page.goto(server.origin)
    for (const [, name] of pages) {
      await go(name)
      await title(name)
    }
    for (const [, name] of pages.toReversed().slice(1, -1)) {
      await page.goBack()
      await title(name)
    }
    const { body } = await callFrom(page, 'POST', '/api/projects', { name: 'Launch' })
    await page.goto(`${server.origin}/project?id=${body.id}`)
    await title('Launch')
    await page.reload()
    await title('Launch')
    await page.context().clearCookies()
    await page.goto(`${server.origin}/audit?action=project.created`)
    await page.getByLabel('E-mail').fill(email)
    await page.keyboard.press('Enter')
    await page.getByLabel('Code').fill((await server.mailFor(page)).code)
    await title('Audit')
    await page.getByText(body.id).waitFor()
    expect(complaints).toEqual([])
  })

  test('what is typed while a page is still loading stays, with the focus', async () => {
    const { promise: mayCome, resolve: come } = Promise.withResolvers<void>()
    await page.route('**/api/members?*', (route) => mayCome.then(() => route.continue()))
    await page.goto(`${server.origin}/audit?actor=key_gone`)
    await title('Audit')
    await page.getByLabel('Action').pressSequentially('key.')
    come()
    await page.getByRole('option', { name: email }).waitFor({ state: 'attached' })
    await page.keyboard.type('created')
    expect(await page.getByLabel('Action').inputValue()).toBe('key.created')
    expect(await page.getByLabel('By').inputValue()).toBe('key_gone')
  })

  test('without a connection it says so, keeps what it has, and can be asked again', async () => {
    await go('Members')
    await page.getByRole('list', { name: 'Members' }).getByText(email).waitFor()
    await page.context().setOffline(true)
    await page.getByText('You are offline.').waitFor()
    await go('Projects')
    await page.getByText('The server could not be reached.').waitFor()
    await page.context().setOffline(false)
    await page.getByText('You are offline.').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('list', { name: 'Projects' }).getByText('Default').first().waitFor()
  })

  test('every page speaks Chinese', async () => {
    await page.getByRole('navigation').getByLabel('Language').selectOption('zh')
    for (const [path, , name] of pages) {
      await page.goto(server.origin + path)
      await title(name)
      await page.waitForLoadState('networkidle')
      const left = (await page.getByRole('main').textContent())!.match(/\b(the|is|are|no|yet|and|this)\b/gi)
      expect([path, left]).toEqual([path, null])
    }
  })

  test('the work that shows a person is done by the page alone, and the code comes', async () => {
    const context = await newContext(browser)
    const stranger = await context.newPage()
    const asked: (string | undefined)[] = []
    await stranger.route('**/api/auth/start', (route) => {
      asked.push(route.request().postDataJSON().human)
      return route.continue()
    })
    await signInByCode(stranger, server, `${crypto.randomUUID()}@example.com`)
    expect(asked.map((human) => human !== undefined)).toEqual([false, true])
    await context.close()
  })

  test('a fresh proof is asked for in place, and the action goes on; leaving it does nothing', async () => {
    await go('API keys')
    const stale = { status: 403, json: { code: 'step_up_required' } }
    const makeKey = async () => {
      await page.route('**/api/keys', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill(stale).then(() => page.unroute('**/api/keys'))
          : route.continue(),
      )
      await dialog('New key').getByRole('button', { name: 'New key' }).click()
      await dialog('Confirm that it is you').getByText(email).waitFor()
    }
    await page.getByRole('button', { name: 'New key' }).click()
    await dialog('New key').getByLabel('Name').fill('Made once')
    // Its mail has come before the next one is asked for.
    await server.codeAfter(email, makeKey)
    await page.keyboard.press('Escape')
    await dialog('New key').getByText('Confirm with a fresh code').waitFor()
    const code = await server.codeAfter(email, makeKey)
    await dialog('Confirm that it is you').getByLabel('Code').fill(code)
    await dialog('Made once is made').waitFor()
    const { body } = await callFrom(page, 'GET', '/api/keys')
    expect(body.data.map(({ name }: { name: string }) => name)).toEqual(['Made once'])
  })

  test('the address changes once its new mailbox is proved', async () => {
    await go('Account')
    await page.getByRole('button', { name: 'Change e-mail' }).click()
    const to = `${crypto.randomUUID()}@example.com`
    const code = await server.codeAfter(to, async () => {
      await dialog().getByLabel('New e-mail').fill(to)
      await page.keyboard.press('Enter')
    })
    await dialog().getByLabel('Code').fill(code)
    await page.getByText(`Your address is now ${to}.`).waitFor()
    expect((await callFrom(page, 'GET', '/api/me')).body.email).toBe(to)
  })

  test('a name is saved, all that is held is exported, and the account ends only after its address is typed', async () => {
    await go('Account')
    await page.getByLabel('Your name').fill('Ada Lovelace')
    await page.keyboard.press('Enter')
    await page.getByText('Saved.').waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export' }).click()
    const file = await (await download).path()
    expect((await Bun.file(file).json()).user).toMatchObject({ email, name: 'Ada Lovelace' })
    await page.getByRole('button', { name: 'Delete account' }).click()
    await dialog().getByRole('button', { name: 'Delete account' }).click()
    await dialog().getByText('This is not the same.').waitFor()
    await dialog().getByRole('textbox').fill(email)
    await dialog().getByRole('button', { name: 'Delete account' }).click()
    await page.getByText('Your account is deleted.').waitFor()
    expect((await callFrom(page, 'GET', '/api/me')).status).toBe(401)
  })

  test('a workspace is made, switched to, left alone by the other, deleted by its name and restored', async () => {
    await go('Workspaces')
    await page.getByRole('button', { name: 'New workspace' }).click()
    await dialog().getByLabel('Name').fill('Second')
    await page.keyboard.press('Enter')
    await title('Overview')
    expect(await page.getByLabel('Workspace').locator('option:checked').textContent()).toBe('Second')
    await go('Workspaces')
    await page.getByRole('button', { name: 'Delete this workspace' }).click()
    await dialog('Delete Second?').getByRole('textbox').fill('Second')
    await dialog().getByRole('button', { name: 'Delete this workspace' }).click()
    await page.getByRole('button', { name: 'Restore Second' }).click()
    await page.getByRole('heading', { name: 'Settings of Second' }).waitFor()
    await page.getByRole('button', { name: 'Switch to My workspace' }).click()
    await page.getByRole('heading', { name: 'Settings of My workspace' }).waitFor()
  })

  test('a workspace asks its members for a fresh sign-in', async () => {
    await go('Workspaces')
    await page.getByLabel('Ask members for a fresh sign-in').selectOption('After 12 hours')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    await page.reload()
    const chosen = page.getByLabel('Ask members for a fresh sign-in').locator('option:checked')
    expect(await chosen.textContent()).toBe('After 12 hours')
    expect((await callFrom(page, 'GET', '/api/workspaces')).body.data[0].max_auth_age_seconds).toBe(43_200)
  })

  test('a project is restricted, and lets a member in by the keyboard alone', async () => {
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    const tabTo = async (name: string) => {
      for (let steps = 0; steps < 60; steps++) {
        await press('Tab')
        const here = await page.evaluate(() => {
          const { ariaLabel, textContent } = document.activeElement as HTMLElement
          return {
            name: ariaLabel ?? textContent,
            isSeen: getComputedStyle(document.activeElement!).outlineStyle !== 'none',
          }
        })
        if (here.name === name) return expect(here).toEqual({ name, isSeen: true })
      }
      throw new Error(`${name} cannot be reached`)
    }
    await page.reload()
    await title('Overview')
    await tabTo('Projects')
    await press('Enter')
    await title('Projects')
    await tabTo('New project')
    await press('Enter')
    await dialog('New project').waitFor()
    await page.keyboard.type('Quiet')
    await press('Tab', 'Tab', 'Space', 'Enter')
    await page.getByText('Quiet is made.').waitFor()
    await tabTo('Quiet')
    await press('Enter')
    await title('Quiet')
    await tabTo('Let somebody in')
    await press('Enter')
    await dialog('Let somebody in').getByText('There is nobody to let in').waitFor()
    await press('Escape')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Let somebody in')
  })
})
