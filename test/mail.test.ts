// The outbox, to a real mail server: what is written is sent, once where nothing breaks, and never lost where it does.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { outbox } from '../db/schema'
import { createSmtpMailer } from '../src/adapters/mail-smtp'
import { type Addressed, mailService } from '../src/features/mail/service'
import type { Log, Mailer } from '../src/ports'
import { createUnaudited } from '../src/write'
import { newTestClock } from './clock'
import { type Smtp, startSmtp } from './smtp'
import { newTestDatabase } from './template'

const minuteMs = 60_000

const newPost = async () => {
  const { db, path, close } = await newTestDatabase()
  const clock = newTestClock()
  const log: unknown[][] = []
  const note = (...line: unknown[]) => void log.push(line)
  const server = await startSmtp()
  const live = new Map<string, Addressed | Error>()
  const mailers: Mailer[] = []

  /** One of our processes: all share the database. */
  const newNode = (mailer: Mailer = createSmtpMailer(server.settings)) => {
    mailers.push(mailer)
    return mailService({
      ...{ db, unaudited: createUnaudited(db), clock, mailer, origin: 'https://app.example.com' },
      log: { info: note, warn: note, error: note, request: note, flush: note } as Log,
      render: async ({ about }) => {
        const found = live.get(about)
        if (found instanceof Error) throw found
        return found ?? null
      },
    })
  }
  const node = newNode()

  const ask = async (id: string, locale = 'en') => {
    const [at, until] = [clock.now(), clock.now() + 15 * minuteMs]
    const asked = { label: 'Firefox on Linux', from: '203.0.113.0/24', at, until }
    live.set(id, { ...asked, to: `${id}@example.org`, code: 'ABCDEFGH', link: `link#${id}.s3cret` })
    await db.batch([node.enqueue('sign-in', id, locale)])
  }
  const stop = async () => {
    for (const mailer of mailers) await mailer.close()
    await server.close()
    await close()
  }
  const rows = async () => db.orm.select().from(outbox).orderBy(outbox.id).all()
  return { db, path, clock, log, server, live, node, newNode, ask, rows, stop, settings: server.settings }
}

let post: Awaited<ReturnType<typeof newPost>>
beforeEach(async () => {
  post = await newPost()
})
afterEach(() => post.stop())

const recipients = (server: Smtp) => server.received.flatMap((m) => m.to).sort()
const messageIds = (server: Smtp) => server.received.map((m) => m.header('message-id'))

describe('the outbox', () => {
  test('sends over TLS what was written, to whom, with what to type, where, until when, and what asked', async () => {
    await post.ask('chl_1')
    await post.node.deliverDue()
    const [mail] = post.server.received
    expect(mail).toMatchObject({ to: ['chl_1@example.org'], secure: true, subject: 'Sign in to app.example.com' })
    for (const body of [mail?.text, mail?.html])
      for (const said of [
        'ABCD-EFGH',
        'https://app.example.com/link#chl_1.s3cret',
        'on app.example.com, ',
        '00:15 UTC',
      ])
        expect(body).toContain(said)
    expect(mail?.text).toContain('Asked for by Firefox on Linux from 203.0.113.0/24, on 2030-01-01 00:00 UTC.')
    const [row] = await post.rows()
    expect(row).toMatchObject({ sentAt: post.clock.now(), failedAt: null, attempts: 1 })
    expect(mail?.header('message-id')).toBe(`<${row?.id}@app.example.com>`)
    await post.node.deliverDue()
    expect(post.server.received).toHaveLength(1)
  })

  test('sends in Chinese where that was asked for', async () => {
    await post.ask('chl_1', 'zh')
    await post.node.deliverDue()
    const [mail] = post.server.received
    expect(mail?.subject).toBe('登录 app.example.com')
    expect(mail?.text).toContain('您的登录验证码：\n\nABCD-EFGH')
    expect(mail?.html).toContain('<html lang="zh">')
  })

  test('keeps nothing in the database that a code, a link or an address could be read from', async () => {
    await post.ask('chl_1')
    await post.node.deliverDue()
    const bytes = Buffer.concat([readFileSync(post.path), readFileSync(`${post.path}-wal`)]).toString('latin1')
    expect(bytes).toContain('chl_1')
    for (const secret of ['ABCDEFGH', 'ABCD-EFGH', 's3cret', 'example.org']) expect(bytes).not.toContain(secret)
  })

  test('a server that refuses delays mail, more and more, and loses none', async () => {
    for (const id of ['chl_1', 'chl_2', 'chl_3']) await post.ask(id)
    post.server.behave('refuse')
    const attempts: number[] = []
    for (const waitMs of [0, 0, 4_999, 1, 14_999, 1]) {
      post.clock.advance(waitMs)
      await post.node.deliverDue()
      attempts.push((await post.rows())[0]!.attempts)
    }
    expect(attempts).toEqual([1, 1, 1, 2, 2, 3])
    expect(post.server.received).toEqual([])
    post.server.behave('take')
    post.clock.advance(minuteMs)
    await post.node.deliverDue()
    expect(recipients(post.server)).toEqual(['chl_1@example.org', 'chl_2@example.org', 'chl_3@example.org'])
  })

  test('a server that is gone loses none either', async () => {
    await post.ask('chl_1')
    await post.server.close()
    await post.node.deliverDue()
    expect(await post.rows()).toMatchObject([{ sentAt: null, failedAt: null, attempts: 1 }])
    const again = await startSmtp({ port: post.settings.port })
    post.clock.advance(minuteMs)
    await post.node.deliverDue()
    expect(recipients(again)).toEqual(['chl_1@example.org'])
    await again.close()
  })

  test('a mail whose acknowledgement was lost goes again as the same mail', async () => {
    await post.ask('chl_1')
    post.server.behave('lose')
    await post.node.deliverDue()
    post.server.behave('take')
    post.clock.advance(minuteMs)
    await post.node.deliverDue()
    expect(post.server.received.length).toBeGreaterThanOrEqual(2)
    expect(new Set(messageIds(post.server)).size).toBe(1)
    expect((await post.rows())[0]?.sentAt).toBe(post.clock.now())
  })

  test('a process that dies while it sends holds its mail up for a minute, and another sends it', async () => {
    await post.ask('chl_1')
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const frozen = { send: () => new Promise<void>(() => begin()), check: async () => {}, close: async () => {} }
    void post.newNode(frozen).deliverDue()
    await begun
    await post.node.deliverDue()
    post.clock.advance(minuteMs - 1)
    await post.node.deliverDue()
    expect(post.server.received).toEqual([])
    post.clock.advance(1)
    await post.node.deliverDue()
    expect(recipients(post.server)).toEqual(['chl_1@example.org'])
  })

  test('two nodes at once send each mail once', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `chl_${i}`)
    for (const id of ids) await post.ask(id)
    const other = post.newNode()
    await Promise.all([post.node.deliverDue(), other.deliverDue(), post.node.deliverDue(), other.deliverDue()])
    expect(recipients(post.server)).toEqual(ids.map((id) => `${id}@example.org`).sort())
  })

  test('a mail about something that has ended is not sent, and not tried again', async () => {
    await post.ask('chl_1')
    await post.ask('chl_2')
    post.live.delete('chl_1')
    await post.node.deliverDue()
    expect(recipients(post.server)).toEqual(['chl_2@example.org'])
    const ended = (await post.rows()).find((row) => row.about === 'chl_1')
    expect(ended).toMatchObject({ sentAt: null, failedAt: post.clock.now() })
    await post.ask('chl_1')
    await post.node.deliverDue()
    expect(post.server.received).toHaveLength(2)
  })

  test('what cannot be rendered now waits, and holds up no other', async () => {
    await post.ask('chl_1')
    await post.ask('chl_2')
    const rendered = post.live.get('chl_1')!
    post.live.set('chl_1', new Error('params: chl_1@example.org'))
    await post.node.deliverDue()
    expect(recipients(post.server)).toEqual(['chl_2@example.org'])
    post.live.set('chl_1', rendered)
    post.clock.advance(minuteMs)
    await post.node.deliverDue()
    expect(recipients(post.server)).toEqual(['chl_1@example.org', 'chl_2@example.org'])
  })

  test('the log says which mail and what codes, and no address, code or link', async () => {
    await post.ask('chl_1')
    post.server.behave('refuse')
    await post.node.deliverDue()
    post.live.set('chl_1', new Error('chl_1@example.org ABCDEFGH s3cret'))
    post.clock.advance(minuteMs)
    await post.node.deliverDue()
    post.live.delete('chl_1')
    post.clock.advance(minuteMs)
    await post.node.deliverDue()
    const lines = JSON.stringify(post.log)
    expect(post.log).toHaveLength(3)
    expect(lines).toContain('mail server: EENVELOPE 451')
    for (const secret of ['example.org', 'ABCD', 's3cret']) expect(lines).not.toContain(secret)
  })

  test('nothing is begun once it is to stop', async () => {
    await post.ask('chl_1')
    await post.node.deliverDue(AbortSignal.abort())
    expect(await post.rows()).toMatchObject([{ attempts: 0 }])
  })

  test('forgets mail a day after it ended, and never what still waits', async () => {
    for (const id of ['chl_1', 'chl_2']) await post.ask(id)
    post.live.delete('chl_2')
    await post.node.deliverDue()
    await post.ask('chl_3')
    post.clock.advance(24 * 60 * minuteMs)
    await post.node.sweep()
    expect(await post.rows()).toHaveLength(3)
    post.clock.advance(1)
    await post.node.sweep()
    expect(await post.rows()).toMatchObject([{ about: 'chl_3' }])
  })
})
