// What the console calls about the things of one workspace.
import type { AuditEvent } from '../features/audit/model'
import type { Invitation, Invite } from '../features/invitations/model'
import type { CreateKey, Key, NewKey } from '../features/keys/model'
import type { Media, NewLink } from '../features/media/model'
import type { Member } from '../features/members/model'
import type { CreateProject, Project, ProjectMember, UpdateProject } from '../features/projects/model'
import type { Quotas } from '../features/quotas/model'
import type { UsageOfDay } from '../features/usage/model'
import type { Page } from '../lib/page'
import type { Role } from '../permissions'
import type { Receipt } from '../receipt'
import type { Send } from './send'

export type {
  AuditEvent,
  Invitation,
  Key,
  Media,
  Member,
  NewKey,
  NewLink,
  Project,
  ProjectMember,
  Quotas,
  Receipt,
  UsageOfDay,
}

/** As they are sent: the server fills in what is left out. */
export type NewInvite = Pick<Invite, 'email' | 'role'> & Partial<Invite>
export type NewKeyInput = Pick<CreateKey, 'name' | 'level' | 'environment'> & {
  projects?: string[]
  expires_at?: string
}
export type NewProject = Pick<CreateProject, 'name'> & Partial<CreateProject>
export type AuditFilter = Partial<Record<'action' | 'actor' | 'target' | 'from' | 'to', string>>

const id = encodeURIComponent

/** A query string of what is given. */
export const queryOf = (values: Record<string, string | number | null | undefined>): string => {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '')
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`
}

export const workspaceApi = (send: Send) => ({
  members: (cursor?: string) => send<Page<Member>>('GET', `/api/members${queryOf({ cursor, limit: 100 })}`),
  setRole: (user: string, role: Role) => send<Member>('PATCH', `/api/members/${id(user)}`, { role }),
  removeMember: (user: string, revokeKeys: boolean) =>
    send('DELETE', `/api/members/${id(user)}${queryOf({ revoke_keys: revokeKeys ? 'true' : null })}`),
  invitations: (cursor?: string) => send<Page<Invitation>>('GET', `/api/invitations${queryOf({ cursor })}`),
  invite: (invite: NewInvite) => send<Invitation>('POST', '/api/invitations', invite),
  revokeInvitation: (invitation: string) => send('DELETE', `/api/invitations/${id(invitation)}`),

  projects: (cursor?: string) => send<Page<Project>>('GET', `/api/projects${queryOf({ cursor, limit: 100 })}`),
  project: (project: string) => send<Project>('GET', `/api/projects/${id(project)}`),
  createProject: (made: NewProject) => send<Project>('POST', '/api/projects', made),
  updateProject: (project: string, change: UpdateProject) =>
    send<Project>('PATCH', `/api/projects/${id(project)}`, change),
  deleteProject: (project: string) => send('DELETE', `/api/projects/${id(project)}`),
  projectMembers: (project: string, cursor?: string) =>
    send<Page<ProjectMember>>('GET', `/api/projects/${id(project)}/members${queryOf({ cursor, limit: 100 })}`),
  putProjectMember: (project: string, user: string, role: Role) =>
    send<ProjectMember>('PUT', `/api/projects/${id(project)}/members/${id(user)}`, { role }),
  removeProjectMember: (project: string, user: string) =>
    send('DELETE', `/api/projects/${id(project)}/members/${id(user)}`),

  keys: (cursor?: string) => send<Page<Key>>('GET', `/api/keys${queryOf({ cursor })}`),
  createKey: (made: NewKeyInput) => send<NewKey>('POST', '/api/keys', made),
  rotateKey: (key: string, grace_seconds: number) =>
    send<NewKey>('POST', `/api/keys/${id(key)}/rotate`, { grace_seconds }),
  revokeKey: (key: string) => send<Receipt>('DELETE', `/api/keys/${id(key)}`),

  media: (project: string | undefined, cursor?: string) =>
    send<Page<Media>>('GET', `/api/media${queryOf({ cursor, limit: 24 })}`, undefined, { project }),
  renameMedia: (media: string, name: string) => send<Media>('PATCH', `/api/media/${id(media)}`, { name }),
  createLink: (media: string) => send<NewLink>('POST', `/api/media/${id(media)}/links`, {}),
  endLink: (link: string) => send('DELETE', `/api/links/${id(link)}`),
  deleteMedia: (media: string) => send('DELETE', `/api/media/${id(media)}`),

  audit: (filter: AuditFilter, cursor?: string, limit = 50) =>
    send<Page<AuditEvent>>('GET', `/api/audit${queryOf({ ...filter, cursor, limit })}`),
  usage: (from: string, cursor?: string) =>
    send<Page<UsageOfDay>>('GET', `/api/usage${queryOf({ from, cursor, limit: 100 })}`),
  quotas: () => send<Quotas>('GET', '/api/usage/quotas'),
  exportAudit: (format: 'jsonl' | 'csv') => send<Blob>('GET', `/api/audit/export${queryOf({ format })}`),
})
