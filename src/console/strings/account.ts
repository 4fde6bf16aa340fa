// Words of the account page.
import type { Row } from './table'

export const accountStrings = {
  'account.title': { en: 'Account', zh: '账户' },
  'account.signed_in_as': { en: 'Signed in as', zh: '当前登录' },
  'devices.title': { en: 'Devices', zh: '设备' },
  'devices.lead': {
    en: 'Every browser or program that is signed in as you. Sign out what you do not know.',
    zh: '所有以您的身份登录的浏览器或程序。如有不认识的，请将其退出。',
  },
  'devices.current': { en: 'This device', zh: '当前设备' },
  'devices.signed_in': { en: 'Signed in', zh: '登录于' },
  'devices.last_seen': { en: 'Last seen', zh: '最近活动' },
  'devices.active_now': { en: 'Active now', zh: '正在使用' },
  'devices.from': { en: 'from {place}', zh: '来自 {place}' },
  'devices.by_code': { en: 'by code', zh: '验证码登录' },
  'devices.by_link': { en: 'by link', zh: '链接登录' },
  'devices.sign_out': { en: 'Sign out', zh: '退出' },
  'devices.sign_out_named': { en: 'Sign out {device}', zh: '退出 {device}' },
  'devices.sign_out_others': { en: 'Sign out all others', zh: '退出其他所有设备' },
  'devices.sign_out_all': { en: 'Sign out everywhere', zh: '退出所有设备' },
  'devices.only_this': {
    en: 'This is the only device that is signed in.',
    zh: '目前只有这一台设备登录。',
  },
  'devices.ask_one': { en: 'Sign out {device}?', zh: '退出 {device}？' },
  'devices.ask_one_body': {
    en: 'It is refused from its next request on and must sign in again.',
    zh: '该设备的下一次请求即被拒绝，需要重新登录。',
  },
  'devices.ask_others': { en: 'Sign out every other device?', zh: '退出其他所有设备？' },
  'devices.ask_others_body': {
    en: 'Only this device stays signed in.',
    zh: '只有当前设备保持登录。',
  },
  'devices.ask_all': { en: 'Sign out everywhere?', zh: '退出所有设备？' },
  'devices.ask_all_body': {
    en: 'This device is signed out too.',
    zh: '当前设备也会一并退出。',
  },
  'devices.done_one': { en: '{device} is signed out.', zh: '{device} 已退出。' },
  'devices.done_others': { en: 'All other devices are signed out.', zh: '其他设备均已退出。' },
} as const satisfies Record<string, Row>
