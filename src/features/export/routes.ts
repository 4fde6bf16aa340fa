// A workspace's archive over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { download } from '../../http/download'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
import { WorkspaceParams } from '../workspaces/model'
import type { ExportService } from './service'

const slowestReaderSeconds = 240

export const exportRoutes = (access: Access, { export: archive }: ExportService, identify: Identify) =>
  new Elysia({ name: 'export' }).use(access).get(
    '/api/workspaces/:id/export',
    ({ actor, caller, params }) => {
      const file = archive(actor, judgeOf(caller, identify), params.id)
      caller.takeTime(slowestReaderSeconds)
      return download(caller, file)
    },
    { access: 'workspace:export', params: WorkspaceParams },
  )
