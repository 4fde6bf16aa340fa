// Projects over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
import { CreateProject, Project, ProjectList, ProjectParams, UpdateProject } from './model'
import type { ProjectService } from './service'

export const projectRoutes = (access: Access, projects: ProjectService) =>
  new Elysia({ name: 'projects', prefix: '/api/projects' })
    .use(access)
    .get('/', ({ actor, query }) => projects.list(actor, query), {
      access: 'project:read',
      query: PageQuery,
      response: { 200: ProjectList },
    })
    .post('/', async ({ actor, body, status }) => status(201, await projects.create(actor, body)), {
      access: 'project:create',
      body: CreateProject,
      response: { 201: Project },
    })
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
