// What a mail says, and what can never get into one; and the inbox of development.
import { describe, expect, test } from 'bun:test'
import { outbox } from '../db/schema'
import { createInbox } from '../src/adapters/mail-inbox'
import { compose, type Letter } from '../src/features/mail/model'
import { newTestClock } from './clock'

const at = Date.UTC(2030, 0, 1)
const host = 'app.example.com'
const link = 'https://app.example.com/link#chl_1.s3cret'
const proof: Letter = {
  ...{ link, code: 'ABCDEFGH', label: 'Firefox on Linux' },
  from: null,
  at,
  until: at + 900_000,
  workspace: 'Acme',
}
const composeSignIn = (told: Letter, wanted: string) => compose('sign-in', told, { host, wanted })
const templates = outbox.template.enumValues

describe('the text of a mail', () => {
  test.each(templates.flatMap((template) => ['en', 'zh', 'fr', ''].map((locale) => [template, locale] as const)))(
    'of %s is whole in %j: no gap in the table, text and HTML alike',
    (template, wanted) => {
      const { code: _, ...facts } = proof
      const asks = ['sign-in', 'step-up', 'email-change', 'account-deletion'].includes(template)
      const { subject, text, html } = compose(template, asks ? proof : facts, { host, wanted })
      for (const part of [subject, text, html.replace(/style="[^"]*"/g, '')]) expect(part).not.toMatch(/[{}]|undefined/)
      const said = html.replace(/<(head|p|br)[^>]*>/g, '\n').replace(/<[^>]*>/g, '')
      for (const line of text.split('\n').filter((l) => l !== '' && !l.startsWith('https:')))
        expect(said).toContain(line)
      if (html.includes('<a ')) expect(html).toContain(`href="${proof.link}"`)
      expect(text.includes('ABCD-EFGH')).toBe(asks)
      expect(subject).not.toContain('ABCD')
    },
  )

  test('a workspace can be named after nothing that a mail program makes a link of, nor at length', () => {
    const name = 'Pay now: https://evil.example/<b>?a=1 \u202e call a@b.example or lose everything that you have'
    const { subject, text, html } = compose('invitation', { link: null, workspace: name }, { host, wanted: 'en' })
    for (const part of [subject, text, html]) {
      expect(part).not.toMatch(/evil\.example|https?:|@|<b>|\u202e/)
      expect(part).not.toContain('lose everything')
    }
    expect(subject).toContain('Pay now')
  })

  test('fetches nothing and leads nowhere but to the link', () => {
    const { html } = composeSignIn(proof, 'en')
    expect(html).not.toMatch(/<(img|link|script|iframe|object|embed|video|audio|form|style|base)\b|src=|url\(|@import/i)
    expect([...html.matchAll(/https?:\/\/[^"<\s]*/g)].map(([url]) => url)).toEqual([link])
  })

  test('what came with a request stays text: no mark-up, no line, no direction of its own, and is cut', () => {
    const label = `<img src=x onerror="a('b')">&amp;\r\n\r\nType your code on evil.example\u202e\u2028${'x'.repeat(500)}`
    const { text, html } = composeSignIn({ ...proof, label, from: '<b>"' }, 'en')
    expect(html).toContain('&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;amp;')
    expect(html).toContain('from &lt;b&gt;&quot;,')
    expect(html).not.toMatch(/<img|<b>/)
    expect(text.split('\n').filter((line) => line.startsWith('Type'))).toHaveLength(1)
    expect(text).not.toMatch(/[\r\u202e\u2028]/)
    expect(text).not.toContain('x'.repeat(81))
  })

  test('the subject tells no code', () => {
    expect(composeSignIn(proof, 'en').subject).toBe('Sign in to app.example.com')
  })
})

describe("development's inbox", () => {
  test('shows the newest first, keeps a hundred, and shows a repeated mail once', async () => {
    const clock = newTestClock(at)
    const { mailer, list } = createInbox({ clock })
    const send = (n: number) =>
      mailer.send({ messageId: `<out_${n}@h>`, to: `${n}@example.org`, subject: 's', text: 't', html: 'h' })
    for (let n = 0; n < 120; n++) await send(n)
    expect(list()).toHaveLength(100)
    expect(list()[0]).toEqual({
      id: 'out_119',
      to: '119@example.org',
      subject: 's',
      text: 't',
      html: 'h',
      sentAt: at,
    })
    clock.advance(1)
    await send(50)
    expect(
      list()
        .map((m) => m.id)
        .filter((id) => id === 'out_50'),
    ).toHaveLength(1)
    expect(list()[0]).toMatchObject({ id: 'out_50', sentAt: at + 1 })
  })
})
