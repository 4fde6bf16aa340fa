// Words of the account page.
import type { Row } from './table'

export const accountStrings = {
  'account.title': { en: 'Account', zh: '账户' },
  'account.profile': { en: 'You', zh: '个人资料' },
  'account.name': { en: 'Your name', zh: '您的姓名' },
  'account.name_hint': {
    en: 'What others in your workspaces see. Empty: your address.',
    zh: '工作区的其他成员会看到。留空则显示邮箱。',
  },
  'account.change_email': { en: 'Change e-mail', zh: '更改邮箱' },
  'account.change_email_lead': {
    en: 'We send a code to the new address. The old one is told, and can take it back for 72 hours.',
    zh: '我们会向新邮箱发送验证码，并通知旧邮箱。72 小时内可由旧邮箱撤回。',
  },
  'account.new_email': { en: 'New e-mail', zh: '新邮箱' },
  'account.proof': { en: 'Type the code that we sent to {email}.', zh: '请输入发送至 {email} 的验证码。' },
  'account.email_changed': { en: 'Your address is now {email}.', zh: '您的邮箱已改为 {email}。' },
  'account.data': { en: 'Your data', zh: '您的数据' },
  'account.data_lead': {
    en: 'All that is held about you, as a file; or the end of it.',
    zh: '以文件形式导出我们保存的关于您的一切，或将其删除。',
  },
  'account.export': { en: 'Export', zh: '导出' },
  'account.delete': { en: 'Delete account', zh: '删除账户' },
  'account.ask_delete': { en: 'Delete {email}?', zh: '删除 {email}？' },
  'account.ask_delete_body': {
    en: 'Your account ends, and with it every workspace that is yours alone. This cannot be undone.',
    zh: '您的账户及仅属于您的工作区将被删除，且无法撤回。',
  },
  'account.last_admin': {
    en: 'You are the last admin of a workspace that others are in. Make somebody else its admin first.',
    zh: '您是某个仍有其他成员的工作区的最后一名管理员，请先将他人设为管理员。',
  },
  'account.deleted': { en: 'Your account is deleted.', zh: '您的账户已删除。' },
  'known.title': { en: 'Known browsers', zh: '已知浏览器' },
  'known.lead': {
    en: 'They need not show each time that a person is asking for a code.',
    zh: '这些浏览器请求验证码时无需每次通过人机验证。',
  },
  'known.empty': { en: 'None.', zh: '无。' },
  'known.last_used': { en: 'Last used', zh: '最近使用' },
  'known.forget': { en: 'Forget', zh: '忘记' },
  'known.forget_named': { en: 'Forget {device}', zh: '忘记 {device}' },
  'known.ask_forget': { en: 'Forget {device}?', zh: '忘记 {device}？' },
  'known.ask_forget_body': {
    en: 'It stays signed in, but is no longer known when it asks for a code.',
    zh: '其仍保持登录，但请求验证码时不再被识别。',
  },
  'known.forgotten': { en: '{device} is forgotten.', zh: '{device} 已忘记。' },
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
