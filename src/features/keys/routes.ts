// API keys over HTTP.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { PageQuery } from '../../lib/page'
import { CreateKey, Key, KeyList, KeyParams, NewKey, Receipt, RenameKey } from './model'
import type { KeyService } from './service'

export const keyRoutes = (access: Access, keys: KeyService) =>
  new Elysia({ name: 'keys', prefix: '/api/keys' })
    .use(access)
    .get('/', ({ actor, query }) => keys.list(actor, query), {
      access: 'key:read',
      query: PageQuery,
      response: { 200: KeyList },
    })
    .post('/', async ({ actor, body, status }) => status(201, await keys.create(actor, body)), {
      access: 'key:create',
      body: CreateKey,
      response: { 201: NewKey },
    })
    .get('/:id', ({ actor, params }) => keys.get(actor, params.id), {
      access: 'key:read',
      params: KeyParams,
      response: { 200: Key },
    })
    .patch('/:id', ({ actor, params, body }) => keys.rename(actor, params.id, body), {
      access: 'key:update',
      params: KeyParams,
      body: RenameKey,
      response: { 200: Key },
    })
    .delete('/:id', ({ actor, params }) => keys.revoke(actor, params.id), {
      access: 'key:revoke-self',
      params: KeyParams,
      response: { 200: Receipt },
    })
