// The first day of an admin, by the keyboard and mouse of a person, with mail that really travels.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { type Smtp, startSmtp } from '../smtp'
import { callFrom, hasChromium, launchChromium, newPerson, type Server, startDevelopment } from './browser'
import { film } from './film'

setDefaultTimeout(60_000)

describe.skipIf(!hasChromium)('the first day of an admin', () => {
  let [server, browser, smtp, page] = [] as unknown as [Server, Browser, Smtp, Page]
  let complaints: string[] = []

  beforeAll(async () => {
    smtp = await startSmtp({ tls: 'none' })
    server = await startDevelopment({ smtp })
    browser = await launchChromium()
    ;({ page, complaints } = await newPerson(browser, server, 'ada@example.com'))
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    await smtp.close()
    expect(complaints).toEqual([])
  })

  const dialog = (name?: string | RegExp) => page.getByRole('dialog', name ? { name } : {})
  const go = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
  const copied = () => page.evaluate(() => navigator.clipboard.readText())

  test('is told three steps, and names the workspace', async () => {
    await page.getByRole('heading', { name: 'Three steps to begin' }).waitFor()
    await go('Workspaces')
    await page.getByLabel('Name').fill('Analytical Engines')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('navigation').getByText('Analytical Engines').waitFor()
  })

  test('invites two, whose mail arrives, and hears beside the field what is no address', async () => {
    await go('Members')
    for (const [email, role] of [
      ['grace@example.com', 'member'],
      ['linus@example.com', 'viewer'],
    ] as const) {
      await page.getByRole('button', { name: 'Invite', exact: true }).click()
      await dialog('Invite').getByRole('button', { name: 'Send invitation' }).click()
      await dialog().getByText('This is needed.').waitFor()
      await dialog().getByLabel('E-mail').fill('nobody')
      await page.keyboard.press('Enter')
      await dialog().getByText('does not look like an e-mail address').waitFor()
      await dialog().getByLabel('E-mail').fill(email)
      await dialog().getByLabel('Role').selectOption(role)
      await page.keyboard.press('Tab')
      await dialog().getByRole('button', { name: 'Send invitation' }).click()
      await page.getByText(`${email} is invited.`).waitFor()
      await page.getByRole('list', { name: 'Invitations' }).getByText(email).waitFor()
    }
    for (let tries = 0; tries < 200 && !smtp.received.some(({ to }) => to.includes('linus@example.com')); tries++)
      await Bun.sleep(25)
    const subjects = smtp.received.filter(({ text }) => text.includes('Analytical Engines')).map(({ to }) => to[0])
    expect(subjects.sort()).toEqual(['grace@example.com', 'linus@example.com'])
  })

  test('makes a key, which is shown once and must be acknowledged; its curl line works as it is pasted', async () => {
    await go('API keys')
    await page.getByRole('button', { name: 'New key' }).click()
    await dialog('New key').getByLabel('Name').fill('First program')
    await page.keyboard.press('Enter')
    const made = dialog('First program is made')
    await made.getByRole('button', { name: 'Copy: the key' }).click()
    const token = await copied()
    expect(token).toMatch(/^ml_live_\w{46}$/)
    await made.getByRole('button', { name: 'Copy: the curl line' }).click()
    const line = await copied()
    const shell = Bun.spawn(['bash', '-c', line], { stdout: 'pipe', stderr: 'pipe' })
    expect(JSON.parse(await new Response(shell.stdout).text())).toMatchObject({ name: 'hello.txt', size: 19 })

    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await made.getByRole('button', { name: 'Done' }).click()
    await made.getByText('Say first that you have kept it').waitFor()
    await made.getByLabel('I have put the key in a safe place').check()
    await made.getByRole('button', { name: 'Done' }).click()
    await made.waitFor({ state: 'detached' })
    expect(await page.locator('body').textContent()).not.toContain(token)
  })

  test('uploads a film with a pause, and plays it from where it likes', async () => {
    await go('Media')
    await page.getByText('hello.txt').waitFor()
    const network = await page.context().newCDPSession(page)
    const speed = (uploadThroughput: number) =>
      network.send('Network.emulateNetworkConditions', {
        ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput },
      })
    const buffer = await film()
    await speed(buffer.length / 6)
    await page.getByLabel('Files to upload').setInputFiles({ name: 'launch.webm', mimeType: 'video/webm', buffer })
    const part = () => page.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.value)
    while ((await part()) < 0.1) await Bun.sleep(20)
    await page.getByRole('button', { name: 'Pause launch.webm' }).click()
    await page.getByText('Paused').waitFor()
    expect(await part()).toBeLessThan(1)
    await go('Members')
    await page.goBack()
    await speed(-1)
    await page.getByRole('button', { name: 'Resume launch.webm' }).click()
    await page.getByRole('button', { name: /^launch\.webm/ }).waitFor()

    await page.getByRole('button', { name: /launch\.webm/ }).click()
    const video = dialog('launch.webm').locator('video')
    const at = await video.evaluate(async (element: HTMLVideoElement) => {
      await element.play()
      element.currentTime = 12
      await new Promise((seeked) => element.addEventListener('seeked', seeked, { once: true }))
      return [element.currentTime, element.error?.code]
    })
    expect(at).toEqual([expect.closeTo(12, 0), undefined])
    await page.keyboard.press('Escape')
  })

  test('makes a link that plays without a cookie, until it is ended', async () => {
    await page.getByRole('button', { name: /launch\.webm/ }).click()
    const box = dialog('launch.webm').getByRole('region', { name: 'Link' })
    await box.getByRole('button', { name: 'Make a link' }).click()
    await box.getByText(/Ends in [45]:/).waitFor()
    await box.getByRole('button', { name: 'Copy: Link' }).click()
    const link = await copied()
    const first = () => fetch(link, { headers: { range: 'bytes=0-9' } })
    expect([(await first()).status, (await first()).headers.get('content-type')]).toEqual([206, 'video/webm'])
    await box.getByRole('button', { name: 'End it now' }).click()
    await box.getByText('The link is ended.').waitFor()
    expect((await first()).status).toBe(404)
    await page.keyboard.press('Escape')
  })

  test('revokes the key with a receipt, and reads in the audit what happened', async () => {
    const { body } = await callFrom(page, 'GET', '/api/keys')
    await go('API keys')
    await page.getByRole('button', { name: 'Revoke First program' }).click()
    await dialog('Revoke First program?').getByRole('button', { name: 'Revoke' }).click()
    await dialog('First program is revoked').getByText('Refuses it already').waitFor()
    await dialog().getByRole('button', { name: 'Close' }).click()
    await page.getByText('Revoked', { exact: true }).waitFor()
    await go('Audit')
    await page.getByLabel('Action').fill('key.revoked')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/audit?action=key.revoked')
    await page.getByText('key.created').waitFor({ state: 'detached' })
    await page.getByText(body.data[0].id).waitFor()
    expect(await page.getByRole('list', { name: 'Audit' }).getByRole('listitem').count()).toBe(1)
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export CSV' }).click()
    expect((await download).suggestedFilename()).toBe('audit.csv')
  })
})
