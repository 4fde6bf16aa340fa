// API keys over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { type Once, shownOnce } from '../../idempotency'
import { PageQuery } from '../../lib/page'
import { Fence, Receipt } from '../../receipt'
import type { KeyHygiene } from './hygiene'
import { CreateKey, Key, KeyList, KeyParams, LeakedKey, LeakTaken, NewKey, RotateKey, UpdateKey } from './model'
import type { KeyService } from './service'

export const keyRoutes = (access: Access, keys: KeyService, once: Once) =>
  new Elysia({ name: 'keys', prefix: '/api/keys' })
    .use(access)
    .get('/', ({ actor, query }) => keys.list(actor, query), {
      access: 'key:read',
      query: PageQuery,
      response: { 200: KeyList },
    })
    .post(
      '/',
      async ({ caller, actor, body, status }) =>
        status(201, await once(caller, actor, body, () => keys.create(actor, body), shownOnce)),
      { access: 'key:create', body: CreateKey, response: { 201: NewKey } },
    )
    .get('/:id', ({ actor, params }) => keys.get(actor, params.id), {
      access: 'key:read',
      params: KeyParams,
      response: { 200: Key },
    })
    .patch('/:id', ({ actor, params, body }) => keys.update(actor, params.id, body), {
      access: 'key:update',
      params: KeyParams,
      body: UpdateKey,
      response: { 200: Key },
    })
    .post(
      '/:id/rotate',
      async ({ caller, actor, params, body, status }) =>
        status(201, await once(caller, actor, body, () => keys.rotate(actor, params.id, body), shownOnce)),
      {
        access: 'key:rotate',
        params: KeyParams,
        body: RotateKey,
        response: { 201: NewKey },
      },
    )
    .delete('/:id', ({ actor, params, query }) => keys.revoke(actor, params.id, query), {
      access: 'key:revoke-self',
      params: KeyParams,
      query: Fence,
      response: { 200: Receipt },
    })

export const leakRoutes = (access: Access, hygiene: KeyHygiene) =>
  new Elysia({ name: 'leaks' }).use(access).post(
    '/api/leaks',
    async ({ caller, body, status }) => {
      await hygiene.leaked(caller, body.token)
      return status(202, { status: 'taken' } as const)
    },
    { open: 'whoever found a key has it; the answer says nothing', body: LeakedKey, response: { 202: LeakTaken } },
  )
