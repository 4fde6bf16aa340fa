// A workspace's archive over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { download } from '../../http/download'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
import { WorkspaceParams } from '../workspaces/model'
import type { ExportService } from './service'

export const exportRoutes = (access: Access, { export: archive }: ExportService, identify: Identify) =>
  new Elysia({ name: 'export' })
    .use(access)
    .get(
      '/api/workspaces/:id/export',
      ({ actor, caller, params }) => download(caller, archive(actor, judgeOf(caller, identify), params.id)),
      { access: 'workspace:export', params: WorkspaceParams },
    )
