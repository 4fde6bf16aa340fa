// A workspace's archive over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Identify } from '../../http/identify'
import { judgeOf } from '../../http/judge'
import { WorkspaceParams } from '../workspaces/model'
import type { ExportService } from './service'

const slowestReaderSeconds = 240

export const exportRoutes = (access: Access, { export: archive }: ExportService, identify: Identify) =>
  new Elysia({ name: 'export' }).use(access).get(
    '/api/workspaces/:id/export',
    async ({ actor, caller, params }) => {
      const body = await archive(actor, judgeOf(caller, identify), params.id)
      caller.takeTime(slowestReaderSeconds)
      const name = `${actor.workspace.publicId}.tar`
      return new Response(body, {
        headers: { 'content-type': 'application/x-tar', 'content-disposition': `attachment; filename="${name}"` },
      })
    },
    { access: 'workspace:export', params: WorkspaceParams },
  )
