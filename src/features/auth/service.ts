// Sign-in by mail: one challenge, two credentials derived from it (code and link), one consumption.

import { Failure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import { parseAddress } from '../../lib/address'
import { subscriberOf } from '../../lib/client-address'
import { parseCode, shapes } from '../../lib/code'
import { equalSecret, randomSecret } from '../../lib/crypto'
import { deviceLabel } from '../../lib/device-label'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import { overLimit } from '../../limits/rate-limited'
import type { Origin, Person } from '../../permissions'
import type { Database, Statement } from '../../ports'
import { guard, type Unaudited } from '../../write'
import type { AccountService } from '../account/service'
import type { Addressed } from '../mail/service'
import type { Credentials } from './credentials'
import type { Defence } from './defence'
import type { RedeemLink, ResendCode, StartedChallenge, StartSignIn, VerifyCode } from './model'
import type { SignInPolicy } from './policy'
import { createRedemption, type Redeemed, type RedemptionDeps } from './redemption'
import { type ChallengeRow, challengeStore, type Purpose } from './store'

type Deps = RedemptionDeps & {
  db: Database
  unaudited: Unaudited
  addresses: Addresses
  credentials: Credentials
  account: Pick<AccountService, 'mayTake' | 'get'>
  defence: Pick<Defence, 'atStart' | 'mailed' | 'atVerify' | 'noteFailure' | 'removeOld'>
  /** Whether sign-in may lead to that path or URL. */
  mayLead: (to: string) => boolean
  policy: SignInPolicy
}

/**
 * Who asks: `binding` is a secret that a browser's or client's challenges share, `device` the one of a known device,
 * `person` whose session it is, `address` the whole one of the client, for budgets.
 */
export type Asker = {
  origin: Origin
  address: string | null
  binding: string | undefined
  device: string | undefined
  person: Person | null
}

export const authService = (deps: Deps) => {
  const { db, unaudited, clock, addresses, credentials, account, defence, policy } = deps
  const store = challengeStore(db)
  const redeem = createRedemption(deps, store)

  /** What the asker holds that a challenge may be bound to. */
  const bindingsOf = ({ binding, person }: Pick<Asker, 'binding' | 'person'>): string[] => [
    ...(binding === undefined ? [] : [credentials.hashBinding(binding)]),
    ...(person ? [credentials.hashSession(person.sessionId)] : []),
  ]

  const isBoundTo = ({ bindingHash }: ChallengeRow, bindings: readonly string[]) =>
    bindings.some((held) => equalSecret(bindingHash, held))
  const isLive = ({ outcome, expiresAt }: ChallengeRow) => outcome === null && expiresAt > clock.now()

  const started = (row: Pick<ChallengeRow, 'id' | 'expiresAt'>): StartedChallenge => ({
    challenge_id: row.id,
    expires_at: rfc3339(row.expiresAt),
    resend_after_seconds: policy.resendAfterMs / 1000,
    code_format: shapes[credentials.format],
  })

  type Question = Pick<ChallengeRow, 'purpose' | 'sessionId' | 'bindingHash' | 'transport' | 'redirect' | 'locale'>

  const newChallenge = (email: string, origin: Origin, question: Question) => {
    const now = clock.now()
    const { exact, mailbox } = parseAddress(email)
    const id = newId('chl')
    const row = {
      ...{ ...question, id, kid: credentials.kid, addressSealed: addresses.seal(exact, id) },
      ...{ addressHash: addresses.hash(exact), mailboxHash: addresses.hashMailbox(mailbox) },
      ...{ askedLabel: deviceLabel(origin.userAgent), askedFrom: origin.client },
      ...{ createdAt: now, sentAt: now, expiresAt: now + policy.ttlMs, deviceId: null },
    }
    return { exact, row }
  }

  /** Whether a proof of the address would bring about anything: else there is no mail, and nobody can tell. */
  const isWelcome = async (exact: string, purpose: Purpose): Promise<boolean> => {
    if (purpose === 'email-change') return account.mayTake(exact)
    if (purpose !== 'sign-in' || (await deps.account.findByAddress(exact))) return true
    return (await deps.account.takeBack(exact)) !== undefined || deps.maySignUp(exact)
  }

  type Mailed = Pick<ChallengeRow, 'id' | 'purpose' | 'locale' | 'mailboxHash' | 'deviceId' | 'sessionId'>
  type Paying = Pick<Asker, 'address' | 'person'>

  /**
   * Who pays for a mail beside its mailbox: a person for one to where they would move, a session for others, so that a
   * stolen one uses up nothing of the rest; else a known device, else the client's network.
   */
  const payerOf = ({ purpose, sessionId, deviceId }: Mailed, { address, person }: Paying) => {
    if (purpose === 'email-change' && person) return person.id
    return sessionId ?? deviceId ?? (address === null ? null : addresses.hashClient(subscriberOf(address)))
  }

  const mailFor = async (exact: string, row: Mailed, asker: Paying): Promise<Statement[]> => {
    const mail = (await isWelcome(exact, row.purpose)) ? deps.enqueueMail(row.purpose, row.id, row.locale) : null
    return defence.mailed(row, payerOf(row, asker), mail)
  }

  return {
    /**
     * Begins a sign-in. The answer is the same whether the address is known or not, barred or not; a barred one gets no
     * mail, nor does one that has had its share. Gives the binding that must come back with the code.
     * @throws `invalid` for what is no address or a place not to go to; `human_required`.
     */
    async start(input: StartSignIn, asker: Asker): Promise<{ body: StartedChallenge; binding: string }> {
      const floor = clock.sleep(policy.startFloorMs)
      const binding = asker.binding ?? randomSecret()
      if (input.redirect !== undefined && !deps.mayLead(input.redirect))
        throw new Failure('invalid', 'Sign-in may not lead there', { extra: { field: 'redirect' } })
      const { exact, row } = newChallenge(input.email, asker.origin, {
        ...{ purpose: 'sign-in', sessionId: null, bindingHash: credentials.hashBinding(binding) },
        ...{ transport: input.transport, redirect: input.redirect ?? null, locale: input.locale ?? 'en' },
      })
      const { human } = input
      const { deviceId, statements } = await defence.atStart({ ...row, exact, device: asker.device, human })
      const asked = { ...row, deviceId }
      await unaudited('asking for a code changes nothing for anybody', [
        ...statements,
        store.insert(asked),
        ...(await mailFor(exact, asked, asker)),
      ])
      deps.mailWaits()
      await floor
      return { body: started(row), binding }
    },

    /**
     * Asks for a proof of `email` within a session, which alone can redeem it: of the person's own address unless another
     * is named. @throws `invalid` for what is no address.
     */
    async ask(person: Person, purpose: Exclude<Purpose, 'sign-in'>, email?: string): Promise<StartedChallenge> {
      const floor = clock.sleep(policy.startFloorMs)
      const own = await account.get(person)
      const { exact, row } = newChallenge(email ?? own.email, person.origin, {
        ...{ purpose, sessionId: person.sessionId, bindingHash: credentials.hashSession(person.sessionId) },
        ...{ transport: 'cookie', redirect: null, locale: own.locale },
      })
      const mail = await mailFor(exact, row, { address: null, person })
      await unaudited('asking for a code changes nothing for anybody', [store.insert(row), ...mail])
      deps.mailWaits()
      await floor
      return started(row)
    },

    /** Sends the same code and link again. @throws `invalid_or_expired`; `rate_limited` when it is too soon. */
    async resend({ challenge_id }: ResendCode, asker: Asker): Promise<StartedChallenge> {
      const now = clock.now()
      const row = await store.byId(challenge_id)
      if (!row || !isBoundTo(row, bindingsOf(asker))) throw new Failure('invalid_or_expired')
      const waitMs = row.sentAt + policy.resendAfterMs - now
      if (waitMs > 0) throw overLimit({ name: 'challenge', rate: { limit: 1, windowMs: policy.resendAfterMs } }, waitMs)
      const rule = { max: policy.maxSends, sentBefore: now - policy.resendAfterMs }
      await unaudited('sending a code again changes nothing for anybody', [
        store.countSend(row, now, rule),
        guard('invalid_or_expired'),
        ...(await mailFor(addresses.open(row.addressSealed, row.id), row, asker)),
      ])
      deps.mailWaits()
      return started(row)
    },

    /** Redeems a typed code. The attempt is counted, durably, before it is compared. @throws `invalid_or_expired`, `start_again` */
    async verify({ challenge_id, code, label, human }: VerifyCode, asker: Asker): Promise<Redeemed> {
      const row = await store.byId(challenge_id)
      if (!row || !isLive(row) || !isBoundTo(row, bindingsOf(asker))) throw new Failure('invalid_or_expired')
      const { statements, giveBack } = await defence.atVerify(row, human)
      const [counted] = await unaudited('an attempt is counted whatever comes of it', [
        store.countAttempt(row, clock.now(), policy.maxAttempts),
        guard('invalid_or_expired'),
        ...statements,
        guard('invalid_or_expired'),
      ])
      if (!equalSecret(parseCode(code) ?? '', credentials.codeOf(row))) {
        await defence.noteFailure()
        const isLast = counted?.rows[0]?.attempts === policy.maxAttempts
        throw new Failure(isLast ? 'start_again' : 'invalid_or_expired')
      }
      return redeem({ ...asker, row, method: 'code', label: label ?? deviceLabel(asker.origin.userAgent), giveBack })
    },

    /** Redeems a link, in the browser or session that asked only. @throws `invalid_or_expired`; `other_browser`, and nothing is consumed */
    async link({ challenge_id, secret }: RedeemLink, asker: Asker): Promise<Redeemed> {
      const row = await store.byId(challenge_id)
      if (!row || !isLive(row)) throw new Failure('invalid_or_expired')
      if (!equalSecret(secret, credentials.linkSecretOf(row))) throw new Failure('invalid_or_expired')
      if (!isBoundTo(row, bindingsOf(asker))) throw new Failure('other_browser')
      return redeem({ ...asker, row, method: 'link', label: deviceLabel(asker.origin.userAgent) })
    },

    /** What a mail about a challenge needs, derived when it is sent; null once the challenge is no longer live. */
    async mailOf(challengeId: string): Promise<Addressed | null> {
      const row = await store.byId(challengeId)
      if (!row || !isLive(row)) return null
      return {
        to: addresses.open(row.addressSealed, row.id),
        code: credentials.codeOf(row),
        link: `link#${row.id}.${credentials.linkSecretOf(row)}`,
        ...{ label: row.askedLabel, from: row.askedFrom, at: row.createdAt, until: row.expiresAt },
      }
    },

    /** Forgets what a person asked for, for the batch that ends their account. */
    erase: store.removeOf,

    /** Forgets challenges that ended a day ago, and what no budget counts any more. */
    sweep: () =>
      unaudited('an ended challenge is no longer of use', [
        store.removeOlderThan(clock.now() - 86_400_000),
        ...defence.removeOld(),
      ]),
  }
}
export type AuthService = ReturnType<typeof authService>
