// A person's own account over HTTP, and whoami.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import { Me, UpdateMe, Whoami } from './model'
import type { AccountService } from './service'

export const accountRoutes = (access: Access, account: AccountService) =>
  new Elysia({ name: 'account', prefix: '/api' })
    .use(access)
    .get('/me', ({ person }) => account.get(person), { access: 'account:read', response: { 200: Me } })
    .patch('/me', ({ person, body }) => account.update(person, body), {
      access: 'account:update',
      body: UpdateMe,
      response: { 200: Me },
    })
    .get('/whoami', ({ person, actor }) => account.whoami(person, actor), {
      access: 'whoami:read',
      response: { 200: Whoami },
    })
