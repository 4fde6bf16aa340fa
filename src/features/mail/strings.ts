// Everything our mails say, in one table. A further language is a further column.
import type { Template } from './store'

type Text = Readonly<Record<'en' | 'zh', string>>
export type Locale = keyof Text
/** `note` stands at the end, in small letters. */
type Words = Readonly<{ subject: Text; lead: Text; button: Text | null; note: Text }>

const ignore: Text = {
  en: 'If it was not you, ignore this mail: nothing happens without the code. Tell it to nobody, and type it nowhere else.',
  zh: '如果这不是您本人的操作，请忽略此邮件：没有验证码就什么都不会发生。请勿将验证码告诉任何人，也不要在其他地方输入。',
}
const intruder: Text = {
  en: 'If it was not you, somebody is signed in to your account: sign in and end that session now. Tell the code to nobody.',
  zh: '如果这不是您本人的操作，说明有人登录了您的账户：请立即登录并结束该会话。请勿将验证码告诉任何人。',
}

export const shared = {
  type: {
    en: 'Type it on {host}, on the page where you asked for it. It works once, until {until}.',
    zh: '请在 {host} 上您请求验证码的页面中输入。仅可使用一次，{until} 之前有效。',
  },
  link: { en: 'Or open this link in the same browser:', zh: '或在同一浏览器中打开此链接：' },
  asked: { en: 'Asked for by {label} from {from}, on {at}.', zh: '请求来自 {label}（{from}），时间 {at}。' },
  unknown: { en: 'an unknown address', zh: '未知地址' },
} as const satisfies Record<string, Text>

export const words: Readonly<Record<Template, Words>> = {
  'sign-in': {
    subject: { en: 'Sign in to {host}', zh: '登录 {host}' },
    lead: { en: 'Your code to sign in:', zh: '您的登录验证码：' },
    button: { en: 'Sign in', zh: '登录' },
    note: ignore,
  },
  'step-up': {
    subject: { en: 'Confirm that it is you on {host}', zh: '在 {host} 上确认是您本人' },
    lead: { en: 'Your code to confirm that it is you:', zh: '用于确认是您本人的验证码：' },
    button: { en: 'It is me', zh: '是我本人' },
    note: intruder,
  },
  'email-change': {
    subject: { en: 'Use this address on {host}', zh: '在 {host} 上使用此邮箱地址' },
    lead: { en: 'Your code to sign in with this address from now on:', zh: '今后使用此地址登录，验证码为：' },
    button: { en: 'Use this address', zh: '使用此地址' },
    note: ignore,
  },
  'account-deletion': {
    subject: { en: 'Delete your account on {host}', zh: '删除您在 {host} 上的账户' },
    lead: {
      en: 'Your code to delete your account, and the workspaces that are yours alone, for good:',
      zh: '永久删除您的账户及仅属于您的工作区，验证码为：',
    },
    button: { en: 'Delete my account', zh: '删除我的账户' },
    note: intruder,
  },
  invitation: {
    subject: { en: 'You are invited to “{workspace}” on {host}', zh: '邀请您加入 {host} 上的“{workspace}”' },
    lead: {
      en: 'You are invited to the workspace “{workspace}” on {host}. Sign in with this address to accept, before {until}.',
      zh: '邀请您加入 {host} 上的工作区“{workspace}”。请在 {until} 之前使用此地址登录并接受邀请。',
    },
    button: { en: 'Sign in to accept', zh: '登录并接受' },
    note: {
      en: 'If you do not know what this is about, ignore this mail: nothing happens unless you accept.',
      zh: '如果您不了解此事，请忽略此邮件：除非您接受，否则什么都不会发生。',
    },
  },
  'new-device': {
    subject: { en: 'A new device signed in to {host}', zh: '新设备登录了 {host}' },
    lead: { en: 'Signed in on {at}: {label} from {from}.', zh: '登录时间 {at}：{label}（{from}）。' },
    button: { en: 'See your devices', zh: '查看您的设备' },
    note: {
      en: 'If it was you, there is nothing to do. If it was not, sign in, end that session, and look after your mailbox: whoever reads it can sign in.',
      zh: '如果是您本人，则无需任何操作。如果不是，请登录并结束该会话，同时检查您的邮箱安全：能读取邮箱的人就能登录。',
    },
  },
  'email-changed': {
    subject: { en: 'The address of your account on {host} was changed', zh: '您在 {host} 上账户的邮箱地址已更改' },
    lead: {
      en: 'On {at} your account on {host} was given another mail address; this one signs in to it no more.',
      zh: '{at}，您在 {host} 上的账户已改用其他邮箱地址，此地址不再用于登录。',
    },
    button: null,
    note: {
      en: 'If it was not you, sign in on {host} with this address before {until}: that takes the change back and ends every session of the account.',
      zh: '如果这不是您本人的操作，请在 {until} 之前用此地址登录 {host}：这将撤销更改并结束该账户的所有会话。',
    },
  },
  'account-deleted': {
    subject: { en: 'Your account on {host} was deleted', zh: '您在 {host} 上的账户已删除' },
    lead: {
      en: 'Your account on {host} was deleted on {at}, as was asked for in a session of yours.',
      zh: '您在 {host} 上的账户已于 {at} 按您会话中的请求删除。',
    },
    button: null,
    note: { en: 'What was yours alone is gone and cannot be brought back.', zh: '仅属于您的内容已被删除且无法恢复。' },
  },
}
