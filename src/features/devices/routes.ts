// A person's known devices over HTTP: they stand beside the sessions, and are read and forgotten by the same right.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Cookies } from '../../http/cookie'
import { PageQuery } from '../../lib/page'
import { DeviceList, DeviceParams } from './model'
import type { DeviceService } from './service'

export const deviceRoutes = (access: Access, cookies: Cookies, devices: DeviceService) =>
  new Elysia({ name: 'devices', prefix: '/api/devices' })
    .use(access)
    .get(
      '/',
      ({ caller, person, query }) => devices.list(person, cookies.read(caller.request.headers, 'device'), query),
      {
        access: 'session:read',
        query: PageQuery,
        response: { 200: DeviceList },
      },
    )
    .delete(
      '/:id',
      async ({ person, params, status }) => {
        await devices.forget(person, params.id)
        return status(204, undefined)
      },
      { access: 'session:revoke', params: DeviceParams },
    )
