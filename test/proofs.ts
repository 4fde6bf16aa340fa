// For tests of proofs within a session: what was mailed, and redeeming it as the browser of a session would.
import { type Answer, origin, type TestApp } from './support'

type Caller = { headers: Record<string, string> }

export const proofsOf = (t: TestApp) => {
  /** The newest mail to an address about something, by its subject. */
  const mailTo = async (email: string, subject: RegExp) => {
    await t.app.services.jobs.runNow('outbox')
    return t.inbox.list().find((m) => m.to === email && subject.test(m.subject))
  }
  const linkIn = (text: string) => {
    const [, challenge_id = '', secret = ''] = /link#(chl_\w+)\.([\w-]+)/.exec(text) ?? []
    return { challenge_id, secret }
  }
  const redeemCode = (who: Caller, challenge_id: string, code: string): Promise<Answer> =>
    t.call('POST', '/api/auth/verify', { body: { challenge_id, code }, headers: who.headers })
  const redeemLink = (who: Caller, body: { challenge_id: string; secret: string }): Promise<Answer> =>
    t.call('POST', '/api/auth/link', { body, headers: who.headers })
  /** Proves the mailbox anew in the session of `who`. */
  const stepUp = async (who: Caller & { email: string }) => {
    const { body } = await t.call('POST', '/api/auth/step-up', { body: {}, headers: who.headers })
    return redeemCode(who, body.challenge_id, await t.codeFor(who.email))
  }
  /** A browser with its cookies: signs in there, and gives what it would send. */
  const signInBrowser = async (email: string, cookies: Record<string, string> = {}) => {
    const headers = () => ({
      origin,
      ...(Object.keys(cookies).length > 0 && {
        cookie: Object.entries(cookies)
          .map(([name, value]) => `${name}=${value}`)
          .join('; '),
      }),
    })
    const keep = (answer: Answer) => {
      for (const [, name, value] of (answer.headers.get('set-cookie') ?? '').matchAll(/(?:^|, )(\w+)=([^;,]*)/g))
        cookies[name!] = value!
    }
    const started = await t.call('POST', '/api/auth/start', { body: { email }, headers: headers() })
    keep(started)
    const { challenge_id } = started.body
    const code = await t.codeFor(email)
    keep(await t.call('POST', '/api/auth/verify', { body: { challenge_id, code }, headers: headers() }))
    return { email, cookies, headers: headers() as Record<string, string> }
  }
  return { mailTo, linkIn, redeemCode, redeemLink, stepUp, signInBrowser }
}
