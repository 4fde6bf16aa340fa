// Words of the frame around every page.
import type { Row } from './table'

export const shellStrings = {
  'nav.overview': { en: 'Overview', zh: '概览' },
  'nav.account': { en: 'Account', zh: '账户' },
  'nav.label': { en: 'Main', zh: '主导航' },
  'nav.menu': { en: 'Menu', zh: '菜单' },
  'nav.skip': { en: 'Skip to content', zh: '跳到正文' },
  'shell.language': { en: 'Language', zh: '语言' },
  'shell.sign_out': { en: 'Sign out', zh: '退出登录' },
  'shell.signed_out': { en: 'You are signed out.', zh: '您已退出登录。' },
  'shell.offline': {
    en: 'You are offline. What you see may be out of date.',
    zh: '您已离线，所见内容可能不是最新的。',
  },
  'action.cancel': { en: 'Cancel', zh: '取消' },
  'action.retry': { en: 'Try again', zh: '重试' },
  'action.copy': { en: 'Copy', zh: '复制' },
  'action.copied': { en: 'Copied', zh: '已复制' },
  'state.loading': { en: 'Loading', zh: '正在加载' },
  'state.unreachable': { en: 'Latchkey does not answer', zh: 'Latchkey 没有响应' },
  'state.failed': { en: 'This could not be loaded', zh: '加载失败' },
  'overview.title': { en: 'Overview', zh: '概览' },
  'overview.workspaces': { en: 'Workspaces', zh: '工作区' },
  'overview.empty': {
    en: 'You are in no workspace yet. Ask an admin to invite this address.',
    zh: '您还没有加入任何工作区。请让管理员邀请此邮箱。',
  },
  'overview.workspace_id': { en: 'Workspace id', zh: '工作区 ID' },
  'overview.project_id': { en: 'Default project', zh: '默认项目' },
  'role.admin': { en: 'Admin', zh: '管理员' },
  'role.member': { en: 'Member', zh: '成员' },
  'role.viewer': { en: 'Viewer', zh: '只读' },
} as const satisfies Record<string, Row>
