// The console without a browser: what is bundled, what its words and its code field do.
import { describe, expect, test } from 'bun:test'
import { createApi } from '../src/console/api'
import { buildPages } from '../src/console/build'
import { caretAfter, formatCode, isComplete } from '../src/console/code'
import { paths } from '../src/console/paths'
import { readPages } from '../src/console/resource'
import { consoleRoutes } from '../src/console/routes'
import { strings } from '../src/console/strings/table'
import { createAccess } from '../src/http/access'
import { Exchange, rememberExchange } from '../src/http/exchange'

describe('the bundle', () => {
  test('is the same bytes for the same sources', async () => {
    expect(await buildPages()).toEqual(await buildPages())
  })

  test('holds no inline script or style and loads nothing from elsewhere', async () => {
    const { app, inbox, assets } = await buildPages()
    for (const { body } of [app, inbox]) {
      expect(body).not.toMatch(/<script(?![^>]* src="\/assets\/)|<style|\son\w+=|\sstyle=/i)
      const loaded = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path!)
      expect(loaded).toHaveLength(3)
      for (const path of loaded) expect(assets).toHaveProperty([path])
    }
    for (const [path, { body }] of Object.entries(assets))
      if (path.endsWith('.css')) expect(body).not.toMatch(/@import|url\(/)
  })

  test('is under 150 kB gzipped', async () => {
    const { assets } = await buildPages()
    const sizes = Object.values(assets).map(({ body }) => Bun.gzipSync(body).length)
    expect(Math.min(...sizes)).toBeGreaterThan(0)
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000)
  })
})

describe('the pages over HTTP', async () => {
  const pages = await buildPages()
  const get = async (path: string, headers: Record<string, string> = {}, { withInbox = true, method = 'GET' } = {}) => {
    const request = new Request(`http://localhost${path}`, { method, headers })
    rememberExchange(request, new Exchange(request, 'req_test', 0, () => null))
    return consoleRoutes(createAccess(), pages, { withInbox }).handle(request)
  }
  const script = Object.keys(pages.assets).find((path) => path.endsWith('.js'))!

  test.each(Object.values(paths).filter((path) => path !== paths.link))(
    '%s is checked again each time, and answers 304 to who has it',
    async (path) => {
      const first = await get(path)
      expect([first.status, first.headers.get('cache-control'), await first.text()]).toEqual([
        200,
        'no-cache',
        pages.app.body,
      ])
      const again = await get(path, { 'if-none-match': `"other", W/${first.headers.get('etag')}` })
      expect([again.status, await again.text()]).toEqual([304, ''])
      expect(again.headers.get('content-security-policy')).toBe(first.headers.get('content-security-policy'))
      expect((await get(path, { 'if-none-match': '"other"' })).status).toBe(200)
    },
  )

  test('every page says what it may load: its own files and nothing else, framed by nobody', async () => {
    for (const path of ['/', '/link', '/inbox', script]) {
      const policy = (await get(path)).headers.get('content-security-policy')!
      expect(policy).toStartWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
    }
  })

  test('an asset is kept for ever under the name of its content, and no other name is found', async () => {
    const found = await get(script)
    expect(found.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(await found.text()).toBe(pages.assets[script]!.body)
    for (const path of ['/assets/main.js', '/assets/toString', '/assets/__proto__', '/assets/..%2Fbuild.ts'])
      expect((await get(path)).status).not.toBe(200)
  })

  test('the inbox is there in development and nowhere else', async () => {
    expect((await get('/inbox')).status).toBe(200)
    expect((await get('/inbox', {}, { withInbox: false })).status).toBe(404)
  })
})

describe('the words', () => {
  test('every string stands in every language, with the same placeholders', () => {
    const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()
    for (const [key, row] of Object.entries(strings)) {
      expect([key, row.en.trim() !== '', row.zh.trim() !== '']).toEqual([key, true, true])
      expect([key, placeholders(row.zh)]).toEqual([key, placeholders(row.en)])
    }
  })
})

describe('the code field', () => {
  test.each([
    ['abcd2345', 'ABCD-2345'],
    [' ab cd-23 45\n', 'ABCD-2345'],
    ['oiL0-1Abc', '0110-1ABC'],
    ['Your code is k7wz-9m0q. It is good for 15 minutes', 'K7WZ-9M0Q'],
    ['ABCD-23456789', 'ABCD-2345'],
    ['abcd', 'ABCD'],
    ['abcde', 'ABCD-E'],
    ['ABCD-', 'ABCD'],
    ['uU!é', ''],
  ])('%j becomes %j', (typed, shown) => {
    expect(formatCode(typed)).toBe(shown)
  })

  test('is complete with eight characters and not with fewer', () => {
    expect(isComplete('ABCD-2345')).toBe(true)
    expect(isComplete('ABCD-234')).toBe(false)
  })

  test('keeps the caret after the character it was after', () => {
    expect([caretAfter('ab'), caretAfter('abcd'), caretAfter('abcde'), caretAfter('abcd-e')]).toEqual([2, 4, 6, 6])
  })
})

describe('the way to the API', () => {
  const answering = (response: () => Response | Promise<never>) => {
    const told: string[] = []
    const api = createApi(async () => response(), { signedOut: () => void told.push('signed out') })
    return { api, told }
  }

  test('an answer is given, and nobody is told of a sign-out', async () => {
    const { api, told } = answering(() => Response.json({ id: 'usr_1' }))
    expect(await api.me()).toEqual({ ok: true, data: { id: 'usr_1' } as never })
    expect(told).toEqual([])
  })

  test('a 401 of any route tells of the sign-out', async () => {
    const { api, told } = answering(() => Response.json({ code: 'unauthenticated' }, { status: 401 }))
    expect(await api.sessions()).toEqual({ ok: false, problem: { code: 'unauthenticated' } })
    expect(told).toEqual(['signed out'])
  })

  test('a problem keeps its code and how long to wait', async () => {
    const headers = { 'retry-after': '30' }
    const { api } = answering(() => Response.json({ code: 'rate_limited' }, { status: 429, headers }))
    expect(await api.resend('chl_1')).toEqual({ ok: false, problem: { code: 'rate_limited', retryAfterSeconds: 30 } })
  })

  test('no answer is a problem and not an exception', async () => {
    const { api } = answering(() => Promise.reject(new TypeError('failed')))
    expect(await api.me()).toEqual({ ok: false, problem: { code: 'offline' } })
  })

  test('an answer that is not ours is a problem and not an exception', async () => {
    const { api } = answering(() => new Response('<h1>Bad gateway</h1>', { status: 502 }))
    expect(await api.me()).toEqual({ ok: false, problem: { code: 'unavailable' } })
  })
})

test('a list goes on over empty pages until something is found or nothing is left, and tells a failure', async () => {
  const pages = [[], [1, 2], [], [3], [], []]
  const load = async (cursor = '0') => {
    const at = Number(cursor)
    return { ok: true, data: { data: pages[at]!, next_cursor: at + 1 < pages.length ? `${at + 1}` : null } } as const
  }
  expect(await readPages(load, 1)).toEqual({ ok: true, data: { data: [1, 2], next: '2' } })
  expect(await readPages(load, 2)).toEqual({ ok: true, data: { data: [1, 2, 3], next: '4' } })
  expect(await readPages(load, 3)).toEqual({ ok: true, data: { data: [1, 2, 3] } })
  const failed = { ok: false, problem: { code: 'offline' } } as const
  expect(await readPages(async (cursor) => (cursor ? failed : load()), 1)).toEqual(failed)
})
