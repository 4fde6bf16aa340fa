// Sign-in over HTTP. Browsers get cookies and never see a token; clients that ask for one get it in the body.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Cookies } from '../../http/cookie'
import type { Exchange } from '../../http/exchange'
import type { SessionService } from '../sessions/service'
import { RedeemLink, ResendCode, SignedIn, StartedChallenge, StartSignIn, VerifyCode } from './model'
import type { AuthService, Redeemed } from './service'

const challengeCookieSeconds = 3600

export const authRoutes = (
  access: Access,
  cookies: Cookies,
  auth: AuthService,
  sessions: Pick<SessionService, 'end'>,
) => {
  const bindingOf = (caller: Exchange, sent: string | undefined) =>
    sent ?? cookies.read(caller.request.headers, 'challenge')

  const signedIn = (set: { headers: Record<string, unknown> }, { body, token, transport, maxAgeSeconds }: Redeemed) => {
    if (transport === 'cookie') set.headers['set-cookie'] = cookies.set('session', token, maxAgeSeconds)
    return body
  }

  return new Elysia({ name: 'auth', prefix: '/api/auth' })
    .use(access)
    .post(
      '/start',
      async ({ caller, body, set, status }) => {
        const asker = { origin: caller, binding: body.transport === 'token' ? undefined : bindingOf(caller, undefined) }
        const { body: answer, binding } = await auth.start(body, asker)
        if (body.transport === 'token') return status(202, { ...answer, binding })
        set.headers['set-cookie'] = cookies.set('challenge', binding, challengeCookieSeconds)
        return status(202, answer)
      },
      { open: 'asks for a code', body: StartSignIn, response: { 202: StartedChallenge } },
    )
    .post(
      '/resend',
      async ({ caller, body, status }) => status(202, await auth.resend(body, bindingOf(caller, body.binding))),
      {
        open: 'asks for the same code again; needs the binding of the challenge',
        body: ResendCode,
        response: { 202: StartedChallenge },
      },
    )
    .post(
      '/verify',
      async ({ caller, body, set }) =>
        signedIn(set, await auth.verify(body, { origin: caller, binding: bindingOf(caller, body.binding) })),
      { open: 'proves a mailbox by a code', body: VerifyCode, response: { 200: SignedIn } },
    )
    .post(
      '/link',
      async ({ caller, body, set }) =>
        signedIn(set, await auth.link(body, { origin: caller, binding: bindingOf(caller, undefined) })),
      { open: 'proves a mailbox by a link', body: RedeemLink, response: { 200: SignedIn } },
    )
    .post(
      '/sign-out',
      async ({ person, set, status }) => {
        await sessions.end(person, person.sessionId)
        set.headers['set-cookie'] = cookies.clear('session')
        return status(204, undefined)
      },
      { access: 'session:revoke' },
    )
}
