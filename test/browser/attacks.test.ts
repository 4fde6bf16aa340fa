// An attacker's hour with the console: what is stored, framed, forged, led astray or left lying about gains nothing.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { callFrom, hasChromium, launchChromium, newContext, newPerson, type Server, startDevelopment } from './browser'

setDefaultTimeout(60_000)

const payloads = [
  `<img src=x onerror="owned()">`,
  `"><script>owned()</script>`,
  `'-owned()-'`,
  `javascript:owned()`,
  `<svg/onload=owned()>`,
  `{{constructor.constructor('owned()')()}}`,
]
const everyPage = ['/', '/media', '/projects', '/members', '/keys', '/audit', '/workspaces', '/account']

describe.skipIf(!hasChromium)('an attacker', () => {
  let [server, browser] = [] as unknown as [Server, Browser]
  let [victim, foreign] = [] as unknown as [Awaited<ReturnType<typeof newPerson>>, ReturnType<typeof Bun.serve>]
  let owned = 0

  beforeAll(async () => {
    server = await startDevelopment()
    browser = await launchChromium()
    // A page of somebody else's, on another site than ours.
    foreign = Bun.serve({
      port: 0,
      fetch: ({ url }) => {
        const framed = new URL(url).searchParams.get('frame')
        const body = framed ? `<iframe src="${framed}"></iframe>` : '<p>A harmless page</p>'
        return new Response(`<!doctype html>${body}`, { headers: { 'content-type': 'text/html' } })
      },
    })
    victim = await newPerson(browser, server, 'ada@example.com')
    await victim.context.exposeFunction('owned', () => {
      owned++
    })
    victim.page.on('dialog', (dialog) => {
      owned++
      void dialog.dismiss()
    })
  })
  afterAll(async () => {
    await browser.close()
    await foreign.stop(true)
    await server.stop()
  })

  const visit = async (page: Page, path: string) => {
    await page.goto(server.origin + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
  }
  const workspaceOf = async () => (await callFrom(victim.page, 'GET', '/api/me')).body.workspaces[0].id as string

  test('runs nothing through any name, file name or address that is shown', async () => {
    const { page } = victim
    const workspace = await workspaceOf()
    for (const [at, name] of payloads.entries()) {
      const answers = [
        await callFrom(page, 'PATCH', '/api/me', { name }),
        await callFrom(page, 'PATCH', `/api/workspaces/${workspace}`, { name }),
        await callFrom(page, 'POST', '/api/projects', { name, slug: `p-${at}`, restricted: true }),
        await callFrom(page, 'POST', '/api/keys', { name, level: 'read' }),
        await callFrom(page, 'POST', '/api/media', { any: 1 }, { 'x-file-name': encodeURIComponent(name) }),
      ]
      expect(answers.map(({ status }) => status < 300)).toEqual(answers.map(() => true))
      await callFrom(page, 'POST', '/api/invitations', {
        email: `"<img src=x onerror=owned()>${at}"@example.com`,
        role: 'viewer',
      })
      await callFrom(page, 'POST', '/api/invitations', { email: `o'owned()${at}@example.com`, role: 'viewer' })
      await visit(page, at % 2 === 0 ? '/' : '/account')
    }
    for (const path of everyPage) await visit(page, path)
    await visit(page, '/projects')
    await page.getByRole('list', { name: 'Projects' }).getByRole('link').nth(0).click()
    await page.getByText('Members of this project').waitFor()
    await visit(page, '/media')
    await page.getByRole('list', { name: 'Media' }).getByRole('button').nth(0).click()
    await page.getByRole('dialog').waitFor()
    await visit(page, '/inbox')
    await page.getByText('HTML').click()
    await visit(page, `/audit?action=${encodeURIComponent(payloads[0]!)}&target=${encodeURIComponent(payloads[1]!)}`)
    await visit(page, `/project?id=${encodeURIComponent(payloads[1]!)}`)
    await visit(page, `/media?project=${encodeURIComponent(payloads[0]!)}`)
    expect(owned).toBe(0)
    expect(victim.complaints).toEqual([])
  })

  test('runs nothing in a file that is opened by itself', async () => {
    const { page } = victim
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>parent.owned()</script></svg>'
    for (const [name, body] of [
      ['a.svg', svg],
      ['a.html', '<!doctype html><script>owned()</script>'],
    ] as const) {
      const { url } = await page.evaluate(
        async ([name, body]) =>
          (await fetch('/api/media', { method: 'POST', body: body!, headers: { 'x-file-name': name! } })).json(),
        [name, body],
      )
      const opened = await victim.context.newPage()
      const download = opened.waitForEvent('download')
      await opened.goto(server.origin + url).catch(() => {})
      expect((await download).suggestedFilename()).toBe(name)
      await opened.close()
    }
    expect(owned).toBe(0)
  })

  test('cannot frame any page', async () => {
    for (const path of [...everyPage, '/sign-in', '/link', '/inbox']) {
      const headers = (await fetch(server.origin + path)).headers
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    }
    const page = await victim.context.newPage()
    await page.goto(`${foreign.url.origin}/?frame=${server.origin}/keys`)
    await page.waitForLoadState('networkidle')
    const frame = page.frames().find((one) => one !== page.mainFrame())!
    expect(await frame.locator('body').textContent()).not.toContain('API keys')
    await page.close()
  })

  test('leads nobody to another origin, neither before nor after a sign-in', async () => {
    const places = [
      '//evil.example',
      '/.//evil.example',
      '/\\evil.example',
      '/..//evil.example',
      '/%2e//evil.example',
      'https://evil.example',
      'javascript:owned()',
      '/\t/evil.example',
    ]
    const stranger = await newContext(browser)
    const page = await stranger.newPage()
    const left: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(server.origin)) left.push(request.url())
    })
    for (const to of places) {
      await page.goto(`${server.origin}/sign-in?to=${encodeURIComponent(to)}`)
      await page.getByLabel('E-mail').fill('mallory@example.com')
      await page.keyboard.press('Enter')
      await page.getByLabel('Code').fill((await server.mailFor(page)).code)
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      expect(new URL(page.url()).origin).toBe(server.origin)
      await stranger.clearCookies()
    }
    expect(left).toEqual([])
    expect(owned).toBe(0)
    await stranger.close()
  })

  test('cannot make the person who is signed in do anything from a page of another origin', async () => {
    const description = (await (await fetch(`${server.origin}/api/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>
    }
    const unsafe = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => !['get', 'head'].includes(method))
        .map((method) => ({ method: method.toUpperCase(), path: path.replace(/\{\w+\}|:\w+/g, 'med_x') })),
    )
    expect(unsafe.length).toBeGreaterThan(30)
    const before = (await callFrom(victim.page, 'GET', '/api/me')).body
    const page = await victim.context.newPage()
    await page.goto(foreign.url.origin)
    const answers: string[] = []
    page.on('response', (response) => void answers.push(`${response.status()} ${response.request().method()}`))
    for (const { method, path } of unsafe) {
      const read = await page.evaluate(
        async ({ method, url }) => {
          const sent = [{ 'content-type': 'text/plain' }, { 'content-type': 'application/json' }].map((headers) =>
            fetch(url, {
              method,
              credentials: 'include',
              headers: headers as HeadersInit,
              body: '{"which":"all"}',
            }).then(
              () => 'read',
              () => 'refused',
            ),
          )
          return Promise.all(sent)
        },
        { method, url: server.origin + path },
      )
      expect([method, path, ...read]).toEqual([method, path, 'refused', 'refused'])
    }
    expect(answers.filter((answer) => answer.startsWith('2'))).toEqual([])
    for (const path of ['/api/auth/sign-out', '/api/sessions/revoke', '/api/workspaces', '/api/keys']) {
      const tab = await victim.context.newPage()
      await tab.goto(foreign.url.origin)
      const posted = tab.waitForResponse((response) => response.request().method() === 'POST')
      await tab.evaluate((action) => {
        const form = document.createElement('form')
        Object.assign(form, { method: 'post', action, enctype: 'text/plain' })
        document.body.append(form)
        form.submit()
      }, server.origin + path)
      expect((await posted).status()).toBe(403)
      await tab.waitForURL(`**${path}`)
    }
    const after = await callFrom(victim.page, 'GET', '/api/me')
    expect([after.status, after.body]).toEqual([200, before])
    await page.close()
  })

  test('finds no token in any address, storage or history of the page', async () => {
    const { page } = victim
    const seen: string[] = []
    page.on('request', (request) => void seen.push(request.url()))
    for (const path of everyPage) {
      await visit(page, path)
      seen.push(page.url())
    }
    const kept = await page.evaluate(async () =>
      JSON.stringify([
        document.cookie,
        { ...localStorage },
        { ...sessionStorage },
        await indexedDB.databases(),
        await caches.keys(),
        history.state,
      ]),
    )
    for (const text of [...seen, kept]) expect(text).not.toMatch(/eyJ|ml_(live|test|dev)_\w{20}|session=/)
    const cookies = await victim.context.cookies()
    expect(cookies.length).toBeGreaterThan(0)
    for (const { httpOnly, sameSite } of cookies) expect([httpOnly, sameSite]).toEqual([true, 'Lax'])
  })
})
