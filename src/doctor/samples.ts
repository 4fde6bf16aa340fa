// One valid request for every route that declares a permission, made fresh. A route without one fails the matrix.
import type { Permission } from '../permissions'
import { listOf, type Sent, textOf } from './http'
import type { World } from './principals'

export type Request = { target: string } & Sent
export type Sample = {
  make: (w: World, project: string) => Promise<Request> | Request
  /** Its thing lives in a project: the matrix is run for each kind of project. */
  inProject?: true
  /** What the service asks for beyond what opens the route. */
  need?: Permission
  /** Whose thing it is, where it is a person's own: everybody else gets 404, in a project but for its admins. */
  owner?: string
  /** Undoes what the twin did. */
  after?: (w: World) => Promise<unknown>
  /** Denials only, and why: where its twin is shown. */
  twin?: string
}

const as = (project: string) => ({ headers: { 'x-project-id': project } })
const file = (w: World, project: string, name = 'doctor.txt') =>
  w.send('POST', '/api/media', {
    headers: { ...w.asAdmin, 'x-project-id': project, 'content-type': 'text/plain', 'x-file-name': name },
    raw: 'doctor canary',
  })
const mediaId = async (w: World, project: string) => textOf(await file(w, project), 'id')
const tus = { 'tus-resumable': '1.0.0' }
const begin = (project: string) => ({ ...as(project).headers, ...tus, 'upload-length': '13' })
const uploadOf = async (w: World, project: string) => {
  const { location } = await w.send('POST', '/api/uploads', { headers: { ...w.asAdmin, ...begin(project) } })
  return { target: location, headers: { ...as(project).headers, ...tus } }
}
const chunkOf = async (w: World, project: string, more = {}) => {
  const { target, headers } = await uploadOf(w, project)
  const chunk = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }
  return { target, headers: { ...headers, ...chunk, ...more }, raw: 'doctor canary' }
}
const keyId = async (w: World) => (await w.newKey({ level: 'read' })).id
const projectId = async (w: World) => textOf(await w.call('POST', '/api/projects', { name: unique() }), 'id')
const spareWorkspace = async (w: World) => textOf(await w.call('POST', '/api/workspaces', { name: 'doctor' }), 'id')
const get = (target: string): Sample => ({ make: () => ({ target }) })
const inProject = (make: Sample['make']): Sample => ({ make, inProject: true })

const media: Record<string, Sample> = {
  'GET /api/media': inProject((_, p) => ({ target: '/api/media', ...as(p) })),
  'POST /api/media': inProject((_, p) => ({
    target: '/api/media',
    headers: { ...as(p).headers, 'content-type': 'text/plain', 'x-file-name': 'doctor.txt' },
    raw: 'doctor canary',
  })),
  'GET /api/media/:id': inProject(async (w, p) => ({ target: `/api/media/${await mediaId(w, p)}`, ...as(p) })),
  'PATCH /api/media/:id': inProject(async (w, p) => ({
    target: `/api/media/${await mediaId(w, p)}`,
    ...as(p),
    body: { name: 'renamed.txt' },
  })),
  'DELETE /api/media/:id': inProject(async (w, p) => ({ target: `/api/media/${await mediaId(w, p)}`, ...as(p) })),
  'GET /api/media/:id/versions': inProject(async (w, p) => ({
    target: `/api/media/${await mediaId(w, p)}/versions`,
    ...as(p),
  })),
  'PUT /api/media/:id/content': inProject(async (w, p) => ({
    target: `/api/media/${await mediaId(w, p)}/content`,
    headers: { ...as(p).headers, 'content-type': 'text/plain' },
    raw: 'doctor canary, again',
  })),
  'GET /media/:id': {
    ...inProject(async (w, p) => ({ target: `/media/${await mediaId(w, p)}`, ...as(p) })),
    need: 'media:read',
  },
}

const linkId = async (w: World, project: string) =>
  textOf(
    await w.call(
      'POST',
      `/api/media/${await mediaId(w, project)}/links`,
      {},
      { ...w.asAdmin, 'x-project-id': project },
    ),
    'id',
  )
const links: Record<string, Sample> = {
  'POST /api/media/:id/links': inProject(async (w, p) => ({
    target: `/api/media/${await mediaId(w, p)}/links`,
    ...as(p),
    body: {},
  })),
  'DELETE /api/links/:id': {
    ...inProject(async (w, p) => ({ target: `/api/links/${await linkId(w, p)}`, ...as(p) })),
    need: 'media:delete',
  },
}

const uploads: Record<string, Sample> = {
  'POST /api/uploads': inProject((_, p) => ({ target: '/api/uploads', headers: begin(p) })),
  'GET /api/uploads/:id': { ...inProject(uploadOf), owner: 'admin' },
  'PATCH /api/uploads/:id': { ...inProject((w, p) => chunkOf(w, p)), owner: 'admin' },
  'POST /api/uploads/:id': {
    ...inProject((w, p) => chunkOf(w, p, { 'x-http-method-override': 'PATCH' })),
    owner: 'admin',
  },
  'DELETE /api/uploads/:id': { ...inProject(uploadOf), owner: 'admin' },
}

const projects: Record<string, Sample> = {
  'GET /api/projects': get('/api/projects'),
  'POST /api/projects': { make: () => ({ target: '/api/projects', body: { name: unique() } }) },
  'GET /api/projects/:id': inProject((_, p) => ({ target: `/api/projects/${p}` })),
  'PATCH /api/projects/:id': inProject((_, p) => ({ target: `/api/projects/${p}`, body: { name: 'doctor' } })),
  'DELETE /api/projects/:id': { make: async (w) => ({ target: `/api/projects/${await projectId(w)}` }) },
  'GET /api/projects/:id/members': inProject((_, p) => ({ target: `/api/projects/${p}/members` })),
  'PUT /api/projects/:id/members/:user_id': {
    make: async (w) => ({
      target: `/api/projects/${await projectId(w)}/members/${w.people.guest.id}`,
      body: { role: 'viewer' },
    }),
  },
  'DELETE /api/projects/:id/members/:user_id': {
    make: async (w) => {
      const target = `/api/projects/${await projectId(w)}/members/${w.people.guest.id}`
      await w.call('PUT', target, { role: 'viewer' })
      return { target }
    },
  },
}

const workspace: Record<string, Sample> = {
  'PATCH /api/workspaces/:id': {
    make: (w) => ({ target: `/api/workspaces/${w.workspace}`, body: { name: 'doctor' } }),
  },
  'GET /api/workspaces/:id/export': { make: (w) => ({ target: `/api/workspaces/${w.workspace}/export` }) },
  'DELETE /api/workspaces/:id': {
    make: (w) => ({ target: `/api/workspaces/${w.workspace}` }),
    after: (w) => w.call('POST', `/api/workspaces/${w.workspace}/restore`),
  },
  'POST /api/workspaces/:id/restore': {
    owner: 'admin',
    make: async (w) => {
      const id = await spareWorkspace(w)
      await w.call('DELETE', `/api/workspaces/${id}`, undefined, { ...w.people.admin.headers, 'x-workspace-id': id })
      return { target: `/api/workspaces/${id}/restore` }
    },
  },
  'GET /api/members': get('/api/members'),
  'PATCH /api/members/:id': {
    make: (w) => ({ target: `/api/members/${w.people.guest.id}`, body: { role: 'viewer' } }),
  },
  'DELETE /api/members/:id': {
    need: 'member:update',
    make: (w) => ({ target: `/api/members/${w.people.guest.id}` }),
    after: async (w) => {
      const { email, headers } = w.people.guest
      const offer = textOf(await w.call('POST', '/api/invitations', { email, role: 'member' }), 'id')
      return w.call('POST', `/api/invitations/${offer}/accept`, undefined, headers)
    },
  },
  'GET /api/invitations': get('/api/invitations'),
  'POST /api/invitations': {
    make: (w) => ({ target: '/api/invitations', body: { email: w.tools.addressOf(unique()), role: 'viewer' } }),
  },
  'DELETE /api/invitations/:id': {
    make: async (w) => {
      const body = { email: w.tools.addressOf(unique()), role: 'viewer' }
      return { target: `/api/invitations/${textOf(await w.call('POST', '/api/invitations', body), 'id')}` }
    },
  },
  'POST /api/invitations/:id/accept': {
    owner: 'member',
    make: async (w) => {
      const { stranger, member } = w.people
      const headers = { ...stranger.headers, 'x-workspace-id': stranger.workspace }
      const made = await w.call('POST', '/api/invitations', { email: member.email, role: 'viewer' }, headers)
      return { target: `/api/invitations/${textOf(made, 'id')}/accept` }
    },
    after: (w) => {
      const { stranger, member } = w.people
      const headers = { ...stranger.headers, 'x-workspace-id': stranger.workspace }
      return w.call('DELETE', `/api/members/${member.id}`, undefined, headers)
    },
  },
}

const keys: Record<string, Sample> = {
  'GET /api/keys': get('/api/keys'),
  'POST /api/keys': { make: () => ({ target: '/api/keys', body: { name: 'doctor' } }) },
  'GET /api/keys/:id': { make: async (w) => ({ target: `/api/keys/${await keyId(w)}` }) },
  'PATCH /api/keys/:id': { make: async (w) => ({ target: `/api/keys/${await keyId(w)}`, body: { name: 'doctor' } }) },
  'POST /api/keys/:id/rotate': { make: async (w) => ({ target: `/api/keys/${await keyId(w)}/rotate`, body: {} }) },
  'DELETE /api/keys/:id': { need: 'key:revoke', make: async (w) => ({ target: `/api/keys/${await keyId(w)}` }) },
}

const account: Record<string, Sample> = {
  'GET /api/whoami': get('/api/whoami'),
  'GET /api/me': get('/api/me'),
  'PATCH /api/me': { make: () => ({ target: '/api/me', body: { name: 'Doctor' } }) },
  'POST /api/me/email': { make: (w) => ({ target: '/api/me/email', body: { email: w.tools.addressOf(unique()) } }) },
  'GET /api/me/export': get('/api/me/export'),
  'GET /api/me/invitations': get('/api/me/invitations'),
  'DELETE /api/me': { make: () => ({ target: '/api/me' }), twin: 'everybody goes by it in the end' },
  'GET /api/workspaces': get('/api/workspaces'),
  'POST /api/workspaces': { make: () => ({ target: '/api/workspaces', body: { name: 'doctor' } }) },
  'GET /api/sessions': get('/api/sessions'),
  'DELETE /api/sessions/:id': {
    owner: 'admin',
    make: async (w) => ({ target: `/api/sessions/${(await w.spare()).session}` }),
  },
  'POST /api/sessions/revoke': { make: () => ({ target: '/api/sessions/revoke', body: { which: 'others' } }) },
  'POST /api/auth/step-up': { make: () => ({ target: '/api/auth/step-up', body: {} }) },
  'POST /api/auth/sign-out': { make: () => ({ target: '/api/auth/sign-out' }), twin: 'an operator leaves by it' },
  'GET /api/devices': get('/api/devices'),
  'DELETE /api/devices/:id': {
    owner: 'admin',
    make: async (w) => {
      await w.browse()
      const own = listOf(await w.call('GET', '/api/devices'))[0]
      return { target: `/api/devices/${String(own?.id)}` }
    },
  },
}

const insight: Record<string, Sample> = {
  'GET /api/audit': get('/api/audit'),
  'GET /api/audit/verify': get('/api/audit/verify'),
  'GET /api/audit/export': get('/api/audit/export'),
  'GET /api/usage': get('/api/usage'),
  'GET /api/usage/quotas': get('/api/usage/quotas'),
  'GET /api/operator/health': get('/api/operator/health'),
  'GET /api/operator/plans': get('/api/operator/plans'),
  'GET /api/operator/workspaces': get('/api/operator/workspaces'),
  'GET /api/operator/workspaces/:id': { make: (w) => ({ target: `/api/operator/workspaces/${w.workspace}` }) },
  'PATCH /api/operator/workspaces/:id': {
    make: (w) => ({ target: `/api/operator/workspaces/${w.workspace}`, body: { credits: 0 } }),
  },
}

let count = 0
const unique = () => `doctor${++count}`

/** By method and path, without a slash at the end. */
export const samples: Record<string, Sample> = {
  ...media,
  ...uploads,
  ...links,
  ...projects,
  ...workspace,
  ...keys,
  ...account,
  ...insight,
}
