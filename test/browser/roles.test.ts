// What a member and a viewer meet, and somebody who is removed meanwhile: no control they may not use, and refused anyway.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newPerson, type Server, startDevelopment } from './browser'

setDefaultTimeout(60_000)
type Person = Awaited<ReturnType<typeof newPerson>>

describe.skipIf(!hasChromium)('in a workspace', () => {
  let [server, browser, admin] = [] as unknown as [Server, Browser, Person]
  let workspace = ''

  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
    admin = await newPerson(browser, server, 'ada@example.com')
    workspace = (await callFrom(admin.page, 'GET', '/api/me')).body.workspaces[0].id
    await callFrom(admin.page, 'PATCH', `/api/workspaces/${workspace}`, { name: 'Analytical Engines' })
    await callFrom(admin.page, 'POST', '/api/projects', { name: 'Closed', restricted: true })
    await callFrom(admin.page, 'POST', '/api/media', { hello: 1 }, { 'x-file-name': 'of-the-admin.json' })
    await admin.page.reload()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  /** Somebody invited with that role, who signs in and accepts in the console. */
  const join = async (email: string, role: string): Promise<Person> => {
    const { status } = await callFrom(admin.page, 'POST', '/api/invitations', { email, role })
    expect(status).toBe(201)
    const person = await newPerson(browser, server, email)
    await person.page.getByRole('button', { name: 'Accept' }).click()
    await person.page.getByRole('navigation').getByText('Analytical Engines').waitFor()
    return person
  }
  const go = (page: Page, name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
  const buttons = async (page: Page) => (await page.getByRole('main').getByRole('button').allTextContents()).sort()
  const refusals = async (page: Page, wanted: [string, string, object?][]) => {
    const statuses = []
    for (const [method, path, body] of wanted)
      statuses.push((await callFrom(page, method, path, body, { 'x-workspace-id': workspace })).status)
    return statuses
  }

  test('somebody in no workspace is told what to do, in words, and the menu keeps its foot together', async () => {
    const { page } = await newPerson(browser, server, 'nobody@example.com')
    const { body } = await callFrom(page, 'GET', '/api/me')
    const menu = page.getByRole('navigation')
    const topOf = async (name: string) => (await menu.getByText(name, { exact: true }).first().boundingBox())!.y
    const height = async () => (await topOf('Sign out')) - (await topOf('nobody@example.com'))
    const whole = await height()
    expect((await callFrom(page, 'DELETE', `/api/workspaces/${body.workspaces[0].id}`)).status).toBe(200)
    await page.reload()
    await page.getByText('You are in no workspace.').waitFor()
    expect(await height()).toBe(whole)
    const checks = page.locator('.checks')
    expect(await checks.locator('.row-title').allTextContents()).toEqual([
      'Database',
      'Storage',
      'Mail',
      'Ownership of the media',
    ])
    await page.context().close()
  })

  test('a member works with media and sees no control of an admin; the API refuses them anyway', async () => {
    const { page, complaints } = await join('grace@example.com', 'member')
    const links = await page.getByRole('navigation').getByRole('link').allTextContents()
    expect(links).toEqual(['Overview', 'Media', 'Projects', 'Members', 'Workspaces', 'Account'])
    await go(page, 'Media')
    await page.getByRole('button', { name: 'Upload', exact: true }).waitFor()
    await page.getByRole('button', { name: /of-the-admin/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).waitFor()
    await page.keyboard.press('Escape')
    await go(page, 'Projects')
    await page.getByText('Default').first().waitFor()
    expect(await page.getByRole('main').textContent()).not.toContain('Closed')
    expect(await buttons(page)).toEqual([])
    await go(page, 'Members')
    await page.getByText('ada@example.com').waitFor()
    expect(await buttons(page)).toEqual(['Leave'])
    for (const path of ['/keys', '/audit']) {
      await page.goto(server.origin + path)
      await page.getByRole('heading', { name: 'Not for your role' }).waitFor()
    }
    const wanted: [string, string, object?][] = [
      ['GET', '/api/keys'],
      ['POST', '/api/keys', { name: 'mine' }],
      ['GET', '/api/audit'],
      ['POST', '/api/projects', { name: 'mine' }],
      ['POST', '/api/invitations', { email: 'eve@example.com', role: 'viewer' }],
      ['PATCH', `/api/workspaces/${workspace}`, { name: 'mine' }],
    ]
    expect(await refusals(page, wanted)).toEqual(wanted.map(() => 403))
    expect(complaints).toEqual([])
  })

  test('a viewer sees and changes nothing; the API refuses them anyway', async () => {
    const { page, complaints } = await join('linus@example.com', 'viewer')
    await go(page, 'Media')
    await page.getByRole('button', { name: /of-the-admin/ }).waitFor()
    expect(await page.getByRole('button', { name: 'Upload', exact: true }).count()).toBe(0)
    await page.getByRole('button', { name: /of-the-admin/ }).click()
    await page.getByRole('dialog').getByText('application/octet-stream').waitFor()
    await page.waitForLoadState('networkidle')
    const offered = await page.getByRole('dialog').locator('.actions:not(.spread)').textContent()
    expect(offered).toBe('DownloadClose')
    await page.keyboard.press('Escape')
    const { body } = await callFrom(page, 'GET', '/api/media', undefined, { 'x-workspace-id': workspace })
    const wanted: [string, string, object?][] = [
      ['POST', '/api/media', { mine: 1 }],
      ['PATCH', `/api/media/${body.data[0].id}`, { name: 'mine' }],
      ['DELETE', `/api/media/${body.data[0].id}`],
      ['GET', '/api/usage'],
    ]
    expect(await refusals(page, wanted)).toEqual(wanted.map(() => 403))
    expect(complaints).toEqual([])
  })

  test('a role that changes meanwhile takes its controls along', async () => {
    const { page, email } = await join('barbara@example.com', 'admin')
    await go(page, 'Projects')
    await page.getByRole('button', { name: 'New project' }).click()
    await go(admin.page, 'Members')
    await admin.page.getByLabel(`Role of ${email}`).selectOption('viewer')
    await admin.page.getByText(`${email} is now Viewer.`).waitFor()
    await page.getByRole('dialog').getByLabel('Name').fill('Too late')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByText('You may not do this.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'New project' }).waitFor({ state: 'detached' })
    expect(await page.getByRole('navigation').getByRole('link', { name: 'API keys' }).count()).toBe(0)
  })

  test('the last admin is told why they cannot leave', async () => {
    await go(admin.page, 'Members')
    await admin.page.getByRole('button', { name: 'Leave' }).click()
    await admin.page
      .getByRole('dialog', { name: 'Leave Analytical Engines?' })
      .getByRole('button', { name: 'Leave' })
      .click()
    await admin.page.getByRole('dialog').getByText('A workspace keeps at least one admin.').waitFor()
    await admin.page.keyboard.press('Escape')
  })

  test('somebody removed meanwhile is told, is led to a workspace of their own, and sees nothing more', async () => {
    const { page, email } = await join('margaret@example.com', 'member')
    await go(page, 'Members')
    await page.getByText('ada@example.com').waitFor()
    await go(admin.page, 'Overview')
    await go(admin.page, 'Members')
    await admin.page.getByRole('button', { name: `Remove ${email}` }).click()
    const dialog = admin.page.getByRole('dialog', { name: `Remove ${email}?` })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await admin.page.getByRole('button', { name: `Remove ${email}` }).click()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await admin.page.getByText(`${email} is removed.`).waitFor()
    await go(page, 'Media')
    await page.getByText('You are no longer in Analytical Engines.').waitFor()
    await page.getByText('You are in no workspace.').waitFor()
    expect(await page.getByRole('main').textContent()).not.toContain('of-the-admin')
    const { status } = await callFrom(page, 'GET', '/api/media', undefined, { 'x-workspace-id': workspace })
    expect(status).toBe(404)
  })
})
