// Words of the development inbox.
import type { Row } from './table'

export const inboxStrings = {
  'inbox.title': { en: 'Inbox', zh: '收件箱' },
  'inbox.lead': {
    en: 'Development only: mail is shown here instead of being sent.',
    zh: '仅限开发环境：邮件显示在此，不会真正发送。',
  },
  'inbox.empty_title': { en: 'No mail yet', zh: '还没有邮件' },
  'inbox.empty': {
    en: 'Ask for a code on the sign-in page, and it appears here.',
    zh: '在登录页获取验证码，邮件会显示在这里。',
  },
  'inbox.to': { en: 'To {address}', zh: '收件人 {address}' },
  'inbox.view': { en: 'Form', zh: '格式' },
  'inbox.text': { en: 'Text', zh: '纯文本' },
  'inbox.html': { en: 'HTML', zh: 'HTML' },
  'inbox.list': { en: 'Mails', zh: '邮件列表' },
} as const satisfies Record<string, Row>
