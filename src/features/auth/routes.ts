// Sign-in over HTTP. Browsers get cookies and never see a token; clients that ask for one get it in the body.
import { Elysia } from 'elysia'
import type { Access } from '../../http/access'
import type { Cookies } from '../../http/cookie'
import type { Exchange } from '../../http/exchange'
import type { OriginGuard } from '../../http/origin-guard'
import type { SessionService } from '../sessions/service'
import { RedeemLink, ResendCode, SignedIn, StartedChallenge, StartSignIn, StepUp, VerifyCode } from './model'
import type { Redeemed } from './redemption'
import type { AuthService } from './service'

const challengeCookieSeconds = 3600
// The most that browsers keep a cookie.
const deviceCookieSeconds = 400 * 86_400

export const authRoutes = (
  access: Access,
  cookies: Cookies,
  origins: Pick<OriginGuard, 'byPage'>,
  auth: AuthService,
  sessions: Pick<SessionService, 'end'>,
) => {
  const bindingOf = (caller: Exchange, sent: string | undefined) =>
    sent ?? cookies.read(caller.request.headers, 'challenge')

  const askerOf = (caller: Exchange, sent: string | undefined) => {
    const { person } = caller.identity
    return {
      ...{ origin: caller, address: caller.address, person: person && { ...person, origin: caller } },
      ...{ binding: bindingOf(caller, sent), device: cookies.read(caller.request.headers, 'device') },
    }
  }

  const redeemed = (caller: Exchange, { body, session, transport }: Redeemed) => {
    if (session.is === 'opened' && transport === 'cookie')
      caller.setCookies = [
        cookies.set('session', session.token, session.maxAgeSeconds),
        ...(session.device === null ? [] : [cookies.set('device', session.device, deviceCookieSeconds)]),
      ]
    if (session.is === 'ended') caller.setCookies = [cookies.clear('session')]
    return body
  }

  return new Elysia({ name: 'auth', prefix: '/api/auth' })
    .use(access)
    .post(
      '/start',
      async ({ caller, body, status }) => {
        origins.byPage(caller.request)
        const asker = askerOf(caller, undefined)
        const held = body.transport === 'token' ? { binding: undefined, device: undefined } : {}
        const { body: answer, binding } = await auth.start(body, { ...asker, ...held })
        if (body.transport === 'token') return status(202, { ...answer, binding })
        caller.setCookies = [cookies.set('challenge', binding, challengeCookieSeconds)]
        return status(202, answer)
      },
      { open: 'asks for a code', body: StartSignIn, response: { 202: StartedChallenge } },
    )
    .post(
      '/resend',
      async ({ caller, body, status }) => {
        origins.byPage(caller.request)
        return status(202, await auth.resend(body, askerOf(caller, body.binding)))
      },
      {
        open: 'asks for the same code again; needs the binding of the challenge',
        body: ResendCode,
        response: { 202: StartedChallenge },
      },
    )
    .post(
      '/verify',
      async ({ caller, body }) => redeemed(caller, await auth.verify(body, askerOf(caller, body.binding))),
      { open: 'proves a mailbox by a code', body: VerifyCode, response: { 200: SignedIn } },
    )
    .post('/link', async ({ caller, body }) => redeemed(caller, await auth.link(body, askerOf(caller, undefined))), {
      open: 'proves a mailbox by a link',
      body: RedeemLink,
      response: { 200: SignedIn },
    })
    .post('/step-up', async ({ person, status }) => status(202, await auth.ask(person, 'step-up')), {
      access: 'session:step-up',
      body: StepUp,
      response: { 202: StartedChallenge },
    })
    .post(
      '/sign-out',
      async ({ caller, person, status }) => {
        await sessions.end(person, person.sessionId)
        caller.setCookies = [cookies.clear('session')]
        return status(204, undefined)
      },
      { access: 'session:revoke' },
    )
}
