// Words of signing in: address, code, link.
import type { Row } from './table'

export const signInStrings = {
  'signin.title': { en: 'Sign in', zh: '登录' },
  'signin.lead': {
    en: 'We send a code to your mailbox. There is no password.',
    zh: '我们会向您的邮箱发送验证码，无需密码。',
  },
  'signin.ended': {
    en: 'Your session has ended. Sign in to go on where you were.',
    zh: '您的会话已结束。登录后将回到原来的页面。',
  },
  'signin.email': { en: 'E-mail', zh: '邮箱' },
  'signin.email_missing': { en: 'Enter your e-mail address.', zh: '请输入邮箱地址。' },
  'signin.email_invalid': {
    en: 'This does not look like an e-mail address.',
    zh: '这看起来不是有效的邮箱地址。',
  },
  'signin.working': { en: 'Checking that a person is asking…', zh: '正在进行人机验证…' },
  'signin.send': { en: 'Send me a code', zh: '发送验证码' },
  'code.title': { en: 'Check your mail', zh: '请查看邮箱' },
  'code.sent': { en: 'We sent a code and a link to', zh: '我们已将验证码和登录链接发送至' },
  'code.either': {
    en: 'Type the code, or open the link in this browser.',
    zh: '请输入验证码，或在此浏览器中打开链接。',
  },
  'code.label': { en: 'Code', zh: '验证码' },
  'code.incomplete': { en: 'The code has eight characters.', zh: '验证码共 8 个字符。' },
  'code.wrong': {
    en: 'That code is wrong or has expired. Check it, or ask for another.',
    zh: '验证码错误或已过期。请核对，或重新获取。',
  },
  'code.submit': { en: 'Sign in', zh: '登录' },
  'code.resend': { en: 'Send again', zh: '重新发送' },
  'code.resend_in': { en: 'Send again in {time}', zh: '{time} 后可重新发送' },
  'code.resent': { en: 'Sent again. It is the same code.', zh: '已重新发送，验证码不变。' },
  'code.no_more': {
    en: 'This code is not sent again. Start over with your address.',
    zh: '此验证码不再发送。请重新输入邮箱开始。',
  },
  'code.start_over': { en: 'Start over', zh: '重新开始' },
  'code.other_address': { en: 'Use another address', zh: '换一个邮箱' },
  'code.not_there': {
    en: 'Nothing there? Look in the spam folder, and check the address above.',
    zh: '没有收到？请查看垃圾邮件，并核对上面的邮箱地址。',
  },
  'link.opening': { en: 'Signing you in', zh: '正在登录' },
  'link.not_yet': { en: 'You are not signed in yet', zh: '尚未登录' },
  'link.other_browser_title': { en: 'This link belongs to another browser', zh: '此链接属于另一个浏览器' },
  'link.other_browser': {
    en: 'It signs in only the browser that asked for it, so that nobody else can use it. Type the code from the same mail there.',
    zh: '为防止他人使用，链接只能在当初请求它的浏览器中登录。请在那里输入同一封邮件中的验证码。',
  },
  'link.dead_title': { en: 'This link no longer works', zh: '此链接已失效' },
  'link.dead': {
    en: 'It has been used, has expired, or is not whole.',
    zh: '它已被使用、已过期，或不完整。',
  },
  'link.start_here': { en: 'Start again here', zh: '在此重新开始' },
} as const satisfies Record<string, Row>
