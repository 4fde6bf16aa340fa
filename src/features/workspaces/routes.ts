// Workspaces over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Once } from '../../idempotency'
import { CreateWorkspace, UpdateWorkspace, Workspace, WorkspaceList, WorkspaceParams } from './model'
import type { WorkspaceService } from './service'

export const workspaceRoutes = (access: Access, workspaces: WorkspaceService, once: Once) =>
  new Elysia({ name: 'workspaces', prefix: '/api/workspaces' })
    .use(access)
    .get('/', async ({ person }) => ({ data: await workspaces.list(person.id, 'with deleted'), next_cursor: null }), {
      access: 'account:read',
      response: { 200: WorkspaceList },
    })
    .post(
      '/',
      async ({ caller, person, body, status }) => {
        const make = () => workspaces.create(person, body)
        return status(201, await once(caller, person, body, make, (id) => workspaces.find(person.id, id)))
      },
      { access: 'workspace:create', body: CreateWorkspace, response: { 201: Workspace } },
    )
    .patch('/:id', ({ actor, params, body }) => workspaces.update(actor, params.id, body), {
      access: 'workspace:update',
      params: WorkspaceParams,
      body: UpdateWorkspace,
      response: { 200: Workspace },
    })
    .delete('/:id', ({ actor, params }) => workspaces.delete(actor, params.id), {
      access: 'workspace:delete',
      params: WorkspaceParams,
      response: { 200: Workspace },
    })
    .post('/:id/restore', ({ person, params }) => workspaces.restore(person, params.id), {
      access: 'workspace:restore',
      params: WorkspaceParams,
      response: { 200: Workspace },
    })
