// What a mail says, and what can never get into one; and the inbox of development.
import { describe, expect, test } from 'bun:test'
import { createInbox } from '../src/adapters/mail-inbox'
import { composeSignIn, type Proof } from '../src/features/mail/model'
import { newTestClock } from './clock'

const at = Date.UTC(2030, 0, 1)
const proof: Proof = {
  ...{ code: 'ABCDEFGH', link: 'https://app.example.com/link#chl_1.s3cret' },
  ...{ askedLabel: 'Firefox on Linux', askedFrom: null, askedAt: at, expiresAt: at + 900_000 },
}

describe('the text of a mail', () => {
  test.each(['en', 'zh', 'fr', ''])('is whole in %j: no gap in the table, text and HTML alike', (locale) => {
    const { subject, text, html } = composeSignIn(proof, locale)
    for (const part of [subject, text, html.replace(/style="[^"]*"/g, '')]) expect(part).not.toMatch(/[{}]|undefined/)
    const said = html.replace(/<(head|p|br)[^>]*>/g, '\n').replace(/<[^>]*>/g, '')
    for (const line of text.split('\n').filter((l) => l !== '' && !l.startsWith('https:'))) expect(said).toContain(line)
    expect(html).toContain(`href="${proof.link}"`)
  })

  test('fetches nothing and leads nowhere but to the link', () => {
    const { html } = composeSignIn(proof, 'en')
    expect(html).not.toMatch(/<(img|link|script|iframe|object|embed|video|audio|form|style|base)\b|src=|url\(|@import/i)
    expect([...html.matchAll(/https?:\/\/[^"<\s]*/g)].map(([url]) => url)).toEqual([proof.link])
  })

  test('what came with a request stays text: no mark-up, no line, no direction of its own, and is cut', () => {
    const askedLabel = `<img src=x onerror="a('b')">&amp;\r\n\r\nType your code on evil.example\u202e\u2028${'x'.repeat(500)}`
    const { text, html } = composeSignIn({ ...proof, askedLabel, askedFrom: '<b>"' }, 'en')
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
