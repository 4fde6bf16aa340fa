// Projects over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Once } from '../../idempotency'
import { PageQuery } from '../../lib/page'
import type { ProjectMemberService } from './members'
import {
  CreateProject,
  Project,
  ProjectList,
  ProjectMember,
  ProjectMemberList,
  ProjectMemberParams,
  ProjectParams,
  PutProjectMember,
  UpdateProject,
} from './model'
import type { ProjectService } from './service'

export const projectRoutes = (access: Access, projects: ProjectService, members: ProjectMemberService, once: Once) =>
  new Elysia({ name: 'projects', prefix: '/api/projects' })
    .use(access)
    .get('/', ({ actor, query }) => projects.list(actor, query), {
      access: 'project:read',
      query: PageQuery,
      response: { 200: ProjectList },
    })
    .post(
      '/',
      async ({ caller, actor, body, status }) => {
        const make = () => projects.create(actor, body)
        return status(201, await once(caller, actor, body, make, (id) => projects.made(actor, id)))
      },
      { access: 'project:create', body: CreateProject, response: { 201: Project } },
    )
    .get('/:id', ({ actor, params }) => projects.get(actor, params.id), {
      access: 'project:read',
      params: ProjectParams,
      response: { 200: Project },
    })
    .patch('/:id', ({ actor, params, body }) => projects.update(actor, params.id, body), {
      access: 'project:update',
      params: ProjectParams,
      body: UpdateProject,
      response: { 200: Project },
    })
    .delete(
      '/:id',
      async ({ actor, params, status }) => {
        await projects.delete(actor, params.id)
        return status(204, undefined)
      },
      { access: 'project:delete', params: ProjectParams },
    )
    .get('/:id/members', ({ actor, params, query }) => members.list(actor, params.id, query), {
      access: 'project-member:read',
      params: ProjectParams,
      query: PageQuery,
      response: { 200: ProjectMemberList },
    })
    .put('/:id/members/:user_id', ({ actor, params, body }) => members.put(actor, params.id, params.user_id, body), {
      access: 'project-member:update',
      params: ProjectMemberParams,
      body: PutProjectMember,
      response: { 200: ProjectMember },
    })
    .delete(
      '/:id/members/:user_id',
      async ({ actor, params, status }) => {
        await members.remove(actor, params.id, params.user_id)
        return status(204, undefined)
      },
      { access: 'project-member:update', params: ProjectMemberParams },
    )
