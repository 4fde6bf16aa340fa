// Sign-in by mail: one challenge, two credentials derived from it (code and link), one consumption.
import type { Addresses } from '../../addresses'
import { Failure } from '../../errors'
import { parseAddress } from '../../lib/address'
import { parseCode } from '../../lib/code'
import { equalSecret, randomSecret } from '../../lib/crypto'
import { deviceLabel } from '../../lib/device-label'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import type { Origin } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { guard, type Unaudited, type Write } from '../../write'
import type { AccountService } from '../account/service'
import type { SessionService } from '../sessions/service'
import type { WorkspaceService } from '../workspaces/service'
import type { Credentials } from './credentials'
import type { RedeemLink, ResendCode, SignedIn, StartedChallenge, StartSignIn, VerifyCode } from './model'
import { type ChallengeRow, challengeStore } from './store'

export type SignInPolicy = {
  ttlMs: number
  maxAttempts: number
  maxSends: number
  resendAfterMs: number
  /** Every `start` takes at least this long, so that its time says nothing. */
  startFloorMs: number
  /** Whether an unknown address may become a user. */
  maySignUp: (exact: string) => boolean
}

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  addresses: Addresses
  credentials: Credentials
  account: Pick<AccountService, 'findByAddress' | 'newUser'>
  sessions: Pick<SessionService, 'open'>
  workspaces: Pick<WorkspaceService, 'newWorkspace'>
  enqueueMail: (challengeId: string, locale: string) => Statement
  /** Says that mail is waiting, so that it goes out now. */
  mailWaits: () => void
  policy: SignInPolicy
}

/** What the browser or client that asks holds: a secret shared by its challenges. */
export type Asker = { origin: Origin; binding: string | undefined }
export type Redeemed = { body: SignedIn; token: string; transport: 'cookie' | 'token'; maxAgeSeconds: number }

export const authService = (deps: Deps) => {
  const { db, write, unaudited, clock, addresses, credentials, account, sessions, workspaces, policy } =
    deps
  const store = challengeStore(db)

  const started = (row: Pick<ChallengeRow, 'id' | 'expiresAt'>): StartedChallenge => ({
    challenge_id: row.id,
    expires_at: rfc3339(row.expiresAt),
    resend_after_seconds: policy.resendAfterMs / 1000,
    code_format: 'XXXX-XXXX',
  })

  const newChallenge = (input: StartSignIn, { origin }: Asker, binding: string) => {
    const now = clock.now()
    const { exact, mailbox } = parseAddress(input.email)
    const id = newId('chl')
    return {
      exact,
      row: {
        ...{ id, purpose: 'sign-in' as const, kid: credentials.kid, bindingHash: credentials.hashBinding(binding) },
        ...{ addressHash: addresses.hash(exact), mailboxHash: addresses.hashMailbox(mailbox) },
        ...{ addressSealed: addresses.seal(exact, id), transport: input.transport, redirect: input.redirect ?? null },
        ...{ locale: input.locale ?? 'en', askedLabel: deviceLabel(origin.userAgent), askedFrom: origin.client },
        ...{ createdAt: now, sentAt: now, expiresAt: now + policy.ttlMs },
      },
    }
  }

  /** The mail of a challenge, unless the mailbox is barred from signing up: then nothing, and nobody can tell. */
  const mailFor = async (exact: string, { id, locale }: Pick<ChallengeRow, 'id' | 'locale'>): Promise<Statement[]> =>
    (await account.findByAddress(exact)) || policy.maySignUp(exact) ? [deps.enqueueMail(id, locale)] : []

  /** The user a proved address belongs to, with the statements and events that make one where there is none. */
  const userFor = async (row: ChallengeRow, exact: string) => {
    const known = await account.findByAddress(exact)
    if (known) return { user: known, statements: [], events: [] }
    if (!policy.maySignUp(exact)) throw new Failure('invalid_or_expired')
    const { user, statement } = account.newUser(exact, row.locale)
    const own = workspaces.newWorkspace(user.id, 'My workspace')
    const joined = { action: 'user.created', targets: [user.id], userId: user.id }
    return { user, statements: [statement, ...own.statements], events: [joined, own.event] }
  }

  const attempt = async (
    row: ChallengeRow,
    method: 'code' | 'link',
    label: string,
    origin: Origin,
  ): Promise<Redeemed> => {
    const exact = addresses.open(row.addressSealed, row.id)
    const { user, statements, events } = await userFor(row, exact)
    const opened = await sessions.open({ userId: user.id, method, label, place: origin.client })
    const now = clock.now()
    const event = { action: 'session.opened', targets: [opened.session.id], userId: user.id, change: { method } }
    await write(
      { type: 'nobody', origin },
      [...events, event],
      [
        store.consume(row.id, now),
        guard('invalid_or_expired'),
        store.supersede(row.addressHash, row.id, now),
        ...statements,
        ...opened.statements,
      ],
    )
    const body: SignedIn = { user, session: opened.session, redirect: row.redirect }
    return {
      body: row.transport === 'token' ? { ...body, token: opened.token } : body,
      token: opened.token,
      transport: row.transport,
      maxAgeSeconds: opened.maxAgeSeconds,
    }
  }

  /** Redeems once more where a second first sign-in of the same address was sooner: then the user is there. */
  const redeem = async (...args: Parameters<typeof attempt>): Promise<Redeemed> => {
    try {
      return await attempt(...args)
    } catch (error) {
      if (error instanceof Failure && error.code === 'conflict') return attempt(...args)
      throw error
    }
  }

  return {
    /**
     * Begins a sign-in. The answer is the same whether the address is known or not, barred or not; a barred one gets no
     * mail. Gives the binding that must come back with the code. @throws `invalid` for what is no address.
     */
    async start(input: StartSignIn, asker: Asker): Promise<{ body: StartedChallenge; binding: string }> {
      const floor = clock.sleep(policy.startFloorMs)
      const binding = asker.binding ?? randomSecret()
      const { exact, row } = newChallenge(input, asker, binding)
      const mail = await mailFor(exact, row)
      await unaudited('asking for a code changes nothing for anybody', [store.insert(row), ...mail])
      deps.mailWaits()
      await floor
      return { body: started(row), binding }
    },

    /** Sends the same code and link again. @throws `invalid_or_expired`; `rate_limited` when it is too soon. */
    async resend({ challenge_id }: ResendCode, binding: string | undefined): Promise<StartedChallenge> {
      const now = clock.now()
      const row = await store.byId(challenge_id)
      if (!row || binding === undefined || !equalSecret(row.bindingHash, credentials.hashBinding(binding)))
        throw new Failure('invalid_or_expired')
      const waitMs = row.sentAt + policy.resendAfterMs - now
      if (waitMs > 0)
        throw new Failure('rate_limited', undefined, { headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) } })
      const rule = { maxSends: policy.maxSends, sentBefore: now - policy.resendAfterMs }
      await unaudited('sending a code again changes nothing for anybody', [
        store.countSend(row.id, row.bindingHash, now, rule),
        guard('invalid_or_expired'),
        ...(await mailFor(addresses.open(row.addressSealed, row.id), row)),
      ])
      deps.mailWaits()
      return started(row)
    },

    /** Redeems a typed code. The attempt is counted, durably, before it is compared. @throws `invalid_or_expired`, `start_again` */
    async verify({ challenge_id, code, label }: VerifyCode, { origin, binding }: Asker): Promise<Redeemed> {
      const now = clock.now()
      const bindingHash = credentials.hashBinding(binding ?? '')
      await unaudited('an attempt is counted whatever comes of it', [
        store.countAttempt(challenge_id, bindingHash, now, policy.maxAttempts),
        guard('invalid_or_expired'),
      ])
      const row = await store.byId(challenge_id)
      if (!row) throw new Failure('invalid_or_expired')
      const typed = parseCode(code) ?? ''
      if (!equalSecret(typed, credentials.codeOf(row)))
        throw new Failure(row.attempts >= policy.maxAttempts ? 'start_again' : 'invalid_or_expired')
      return redeem(row, 'code', label ?? deviceLabel(origin.userAgent), origin)
    },

    /** Redeems a link, in the browser that asked only. @throws `invalid_or_expired`; `other_browser`, and nothing is consumed */
    async link({ challenge_id, secret }: RedeemLink, { origin, binding }: Asker): Promise<Redeemed> {
      const row = await store.byId(challenge_id)
      if (!row || row.outcome !== null || row.expiresAt <= clock.now()) throw new Failure('invalid_or_expired')
      if (!equalSecret(secret, credentials.linkSecretOf(row))) throw new Failure('invalid_or_expired')
      if (!equalSecret(row.bindingHash, credentials.hashBinding(binding ?? ''))) throw new Failure('other_browser')
      return redeem(row, 'link', deviceLabel(origin.userAgent), origin)
    },

    /** What a mail about a challenge needs, derived when it is sent; null once the challenge is no longer live. */
    async mailOf(challengeId: string) {
      const row = await store.byId(challengeId)
      if (!row || row.outcome !== null || row.expiresAt <= clock.now()) return null
      return {
        to: addresses.open(row.addressSealed, row.id),
        code: credentials.codeOf(row),
        link: `link#${row.id}.${credentials.linkSecretOf(row)}`,
        askedLabel: row.askedLabel,
        askedFrom: row.askedFrom,
        askedAt: row.createdAt,
        expiresAt: row.expiresAt,
      }
    },

    /** Forgets challenges that ended a day ago. */
    sweep: () => unaudited('an ended challenge is no longer of use', [store.removeOlderThan(clock.now() - 86_400_000)]),
  }
}
export type AuthService = ReturnType<typeof authService>
