// A person's own account over HTTP, and whoami.
import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Access } from '../../http/access'
import type { Cookies } from '../../http/cookie'
import { StartedChallenge } from '../auth/model'
import { ChangeEmail, Export, Me, UpdateMe, Whoami } from './model'
import type { AccountService } from './service'

export const accountRoutes = (access: Access, cookies: Cookies, account: AccountService) =>
  new Elysia({ name: 'account', prefix: '/api' })
    .use(access)
    .get('/me', ({ person }) => account.get(person), { access: 'account:read', response: { 200: Me } })
    .patch('/me', ({ person, body }) => account.update(person, body), {
      access: 'account:update',
      body: UpdateMe,
      response: { 200: Me },
    })
    .post('/me/email', async ({ person, body, status }) => status(202, await account.changeEmail(person, body)), {
      access: 'account:update',
      body: ChangeEmail,
      response: { 202: StartedChallenge },
    })
    .get('/me/export', ({ person }) => account.export(person), {
      access: 'account:export',
      response: { 200: Export },
    })
    .delete(
      '/me',
      async ({ caller, person, status }) => {
        const asked = await account.delete(person)
        if (asked) return status(202, asked)
        caller.setCookies = [cookies.clear('session')]
        return status(204, undefined)
      },
      { access: 'account:delete', response: { 202: StartedChallenge, 204: z.undefined() } },
    )
    // No call stands first in it: Elysia, which reads its text, would await that.
    .get(
      '/whoami',
      ({ caller: { identity } }) =>
        identity.actor ? account.whoami(identity.actor) : account.whoami(identity.person!),
      {
        access: 'whoami:read',
        response: { 200: Whoami },
      },
    )
