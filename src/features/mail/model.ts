// What our mails say: one table of strings, made into text and HTML. A further language is a further column.
import { showCode } from '../../lib/code'

const strings = {
  subject: { en: 'Sign in to {host}', zh: '登录 {host}' },
  code: { en: 'Your code to sign in:', zh: '您的登录验证码：' },
  type: {
    en: 'Type it on {host}, on the page where you asked for it. It works once, until {until}.',
    zh: '请在 {host} 上您请求验证码的页面中输入。仅可使用一次，{until} 之前有效。',
  },
  link: { en: 'Or open this link in the same browser:', zh: '或在同一浏览器中打开此链接：' },
  button: { en: 'Sign in', zh: '登录' },
  asked: { en: 'Asked for by {label} from {from}, on {at}.', zh: '请求来自 {label}（{from}），时间 {at}。' },
  unknown: { en: 'an unknown address', zh: '未知地址' },
  warning: {
    en: 'If it was not you, ignore this mail: nothing happens without the code. Tell it to nobody, and type it nowhere else.',
    zh: '如果这不是您本人的操作，请忽略此邮件：没有验证码就什么都不会发生。请勿将验证码告诉任何人，也不要在其他地方输入。',
  },
} as const satisfies Record<string, Record<'en' | 'zh', string>>

type Locale = 'en' | 'zh'
type Key = keyof typeof strings

/** What a mail about a challenge is made of. `link` is whole; instants are ms. */
export type Proof = {
  code: string
  link: string
  askedLabel: string
  askedFrom: string | null
  askedAt: number
  expiresAt: number
}

// So that nothing that came with a request begins a line, a header or a mark-up of its own.
const oneLine = (text: string) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').slice(0, 80)

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => escapes[c]!)

/** `2030-01-01 00:00 UTC`. */
const minute = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const style = {
  body: 'margin:0 auto;max-width:32rem;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1a1a1a',
  code: 'margin:8px 0 16px;font:600 28px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.1em',
  link: 'display:inline-block;padding:10px 18px;border-radius:6px;background:#1a1a1a;color:#fff;text-decoration:none',
  small: 'font-size:14px;color:#595959',
}

/** The mail of a sign-in: text and HTML that say the same, with nothing to fetch from anywhere. */
export const composeSignIn = (proof: Proof, wanted: string): { subject: string; text: string; html: string } => {
  const locale: Locale = wanted === 'zh' ? 'zh' : 'en'
  const values: Record<string, string> = {
    host: new URL(proof.link).host,
    until: minute(proof.expiresAt),
    label: oneLine(proof.askedLabel),
    from: oneLine(proof.askedFrom ?? strings.unknown[locale]),
    at: minute(proof.askedAt),
  }
  const say = (key: Key) => strings[key][locale].replace(/\{(\w+)\}/g, (_, name: string) => values[name]!)
  const mark = (key: Key) => escapeHtml(say(key))
  const code = showCode(proof.code)
  const lines = [say('code'), code, say('type'), `${say('link')}\n${proof.link}`, say('asked'), say('warning')]
  return {
    subject: say('subject'),
    text: `${lines.join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><title>${mark('subject')}</title></head>
<body style="${style.body}">
<p>${mark('code')}</p>
<p style="${style.code}">${code}</p>
<p>${mark('type')}</p>
<p>${mark('link')}</p>
<p><a href="${escapeHtml(proof.link)}" style="${style.link}">${mark('button')}</a></p>
<p style="${style.small}">${mark('asked')}<br>${mark('warning')}</p>
</body></html>
`,
  }
}
