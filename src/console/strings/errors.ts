// What each problem of the API is called in words that a person can act on.
import type { ErrorCode } from '../../errors'
import type { Row } from './table'

type Code = ErrorCode | 'offline'

export const errorStrings = {
  'error.offline': {
    en: 'The server could not be reached. Check your connection.',
    zh: '无法连接服务器，请检查网络。',
  },
  'error.malformed': { en: 'The server could not read this. Reload the page.', zh: '服务器无法读取请求，请刷新页面。' },
  'error.unknown_field': { en: 'This page is out of date. Reload it.', zh: '页面版本过旧，请刷新。' },
  'error.workspace_required': { en: 'Choose a workspace first.', zh: '请先选择工作区。' },
  'error.invalid_or_expired': { en: 'That is wrong, used or expired.', zh: '内容错误、已使用或已过期。' },
  'error.start_again': {
    en: 'Too many wrong codes: this one is spent. Start over, or open the link in the mail.',
    zh: '错误次数过多，此验证码已失效。请重新开始，或打开邮件中的链接。',
  },
  'error.unauthenticated': { en: 'Sign in to go on.', zh: '请先登录。' },
  'error.quota_exceeded': { en: 'A quota is used up.', zh: '配额已用完。' },
  'error.forbidden': { en: 'You may not do this.', zh: '您没有权限执行此操作。' },
  'error.human_required': { en: 'Show first that a person is asking.', zh: '请先通过人机验证。' },
  'error.step_up_required': { en: 'Confirm with a fresh code that it is you.', zh: '请用新的验证码确认是您本人。' },
  'error.not_found': { en: 'This is not there, or no longer.', zh: '内容不存在或已被移除。' },
  'error.method_not_allowed': { en: 'This page is out of date. Reload it.', zh: '页面版本过旧，请刷新。' },
  'error.conflict': {
    en: 'It has changed in the meantime. Reload and look again.',
    zh: '内容已发生变化，请刷新后再试。',
  },
  'error.other_browser': { en: 'Open the link in the browser that asked for it.', zh: '请在请求链接的浏览器中打开。' },
  'error.already_shown': { en: 'It was made, and its secret is shown only once.', zh: '已创建，密钥只显示一次。' },
  'error.precondition_failed': {
    en: 'It has changed in the meantime. Reload and look again.',
    zh: '内容已发生变化，请刷新后再试。',
  },
  'error.too_large': { en: 'This is too large.', zh: '内容过大。' },
  'error.unsupported_type': { en: 'This kind of content is not accepted here.', zh: '不支持此类内容。' },
  'error.range_not_satisfiable': { en: 'That part is not there.', zh: '请求的部分不存在。' },
  'error.misdirected': { en: 'This address does not serve Latchkey.', zh: '此地址不提供 Latchkey 服务。' },
  'error.invalid': { en: 'Something here is not valid. Check what you entered.', zh: '输入有误，请检查。' },
  'error.locked': {
    en: 'Something else is at work on this. Try again in a moment.',
    zh: '正在被其他操作占用，请稍后再试。',
  },
  'error.rate_limited': { en: 'Too many requests. Wait a moment.', zh: '请求过多，请稍候。' },
  'error.rate_limited_for': { en: 'Too many requests. Try again in {time}.', zh: '请求过多，请在 {time} 后重试。' },
  'error.checksum_mismatch': { en: 'The file arrived damaged. Send it again.', zh: '文件传输损坏，请重新上传。' },
  'error.internal': { en: 'Something went wrong on our side. Try again.', zh: '服务器出错，请重试。' },
  'error.unavailable': { en: 'Not available right now. Try again in a moment.', zh: '暂时不可用，请稍后重试。' },
  'error.disk_full': { en: 'The server has no room for this.', zh: '服务器空间不足。' },
} as const satisfies Record<`error.${Code}` | 'error.rate_limited_for', Row>
