// What a proved mailbox brings about: one consumption, with the effect of its purpose in the same batch.

import { Failure, isFailure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import type { Origin, Person } from '../../permissions'
import type { Clock, Statement } from '../../ports'
import { type Event, guard, type Write } from '../../write'
import type { User } from '../account/model'
import type { AccountService } from '../account/service'
import type { DeviceService } from '../devices/service'
import type { SessionService } from '../sessions/service'
import type { WorkspaceService } from '../workspaces/service'
import type { SignedIn } from './model'
import type { ChallengeRow, challengeStore, Purpose } from './store'

/** Statements and events for the batch of a redemption. */
export type Part = { statements: readonly Statement[]; events: readonly Event[] }

export type RedemptionDeps = {
  write: Write
  clock: Clock
  addresses: Addresses
  account: Pick<AccountService, 'findByAddress' | 'demandAddress' | 'newUser' | 'takeBack' | 'moveTo' | 'get'>
  sessions: Pick<SessionService, 'open' | 'confirm' | 'current' | 'isFamiliar'>
  workspaces: Pick<WorkspaceService, 'newWorkspace'>
  devices: Pick<DeviceService, 'remember'>
  /** Whether an unknown address may become a user. */
  maySignUp: (exact: string) => Promise<boolean>
  isInvited: (exact: string) => Promise<boolean>
  /** Everything that ends with an account. */
  erasure: (person: Person) => Promise<Part>
  enqueueMail: (template: Purpose | 'new-device', about: string, locale: string) => Statement
  /** Says that mail is waiting, so that it goes out now. */
  mailWaits: () => void
}

export type Proof = {
  row: ChallengeRow
  method: 'code' | 'link'
  label: string
  origin: Origin
  person: Person | null
  /** The secret of the browser's device cookie. */
  device: string | undefined
  /** Takes back what the attempt used up. */
  giveBack?: Statement
}

/** What a redemption answers; `session` is what becomes of the browser's cookie. */
export type Redeemed = {
  body: SignedIn
  session:
    | { is: 'opened'; token: string; maxAgeSeconds: number; device: string | null }
    | { is: 'kept' }
    | { is: 'ended' }
  transport: 'cookie' | 'token'
}

type Effect = (proof: Proof, exact: string, claim: readonly Statement[]) => Promise<Redeemed>

export const createRedemption = (deps: RedemptionDeps, store: ReturnType<typeof challengeStore>) => {
  const { write, clock, addresses, account, sessions, workspaces } = deps

  /** The user a proved address belongs to, with what makes one where there is none, or gives theirs back. */
  const userFor = async (row: ChallengeRow, exact: string): Promise<Part & { user: User; isNew: boolean }> => {
    const known = await account.findByAddress(exact)
    if (known) return { user: known, isNew: false, statements: [account.demandAddress(known.id, exact)], events: [] }
    const restored = await account.takeBack(exact)
    if (restored) return { ...restored, isNew: false }
    if (!(await deps.maySignUp(exact))) throw new Failure('invalid_or_expired')
    const { user, statements } = account.newUser(exact, row.locale)
    const joined: Event = { action: 'user.created', targets: [user.id], userId: user.id }
    // Whatever else was begun for this address was begun before anybody had proved it.
    const first = [...statements, store.supersede(row, clock.now(), true)]
    if (await deps.isInvited(exact)) return { user, isNew: true, statements: first, events: [joined] }
    const own = workspaces.newWorkspace(user.id, 'My workspace')
    return { user, isNew: true, statements: [...first, ...own.statements], events: [joined, own.event] }
  }

  const signIn: Effect = async ({ row, method, label, origin, device: held }, exact, claim) => {
    const { user, isNew, statements, events } = await userFor(row, exact)
    const device = row.transport === 'cookie' ? await deps.devices.remember(user.id, held, label) : null
    const place = origin.client
    const isKnown = device ? !device.isNew : await sessions.isFamiliar(user.id, label, place)
    const opened = await sessions.open({ userId: user.id, method, label, place, deviceId: device?.id ?? null })
    const event = { action: 'session.opened', targets: [opened.session.id], userId: user.id, change: { method } }
    await write(
      { type: 'nobody', origin },
      [...events, event],
      [
        ...[...claim, ...statements, ...(device?.statements ?? []), ...opened.statements],
        ...(isNew || isKnown ? [] : [deps.enqueueMail('new-device', opened.session.id, user.locale)]),
      ],
    )
    deps.mailWaits()
    const { token, maxAgeSeconds, session } = opened
    const body: SignedIn = { user, session, redirect: row.redirect }
    return {
      body: row.transport === 'token' ? { ...body, token } : body,
      session: { is: 'opened', token, maxAgeSeconds, device: device?.secret ?? null },
      transport: row.transport,
    }
  }

  /** An effect within the session that asked; `answer` is read before or after it is done. */
  const inSession =
    (act: (person: Person, exact: string, row: ChallengeRow) => Promise<Part>, ends: boolean): Effect =>
    async ({ row, person }, exact, claim) => {
      if (!person || person.sessionId !== row.sessionId) throw new Failure('invalid_or_expired')
      const answer = async (): Promise<SignedIn> => {
        const [{ workspaces: _, ...user }, session] = await Promise.all([account.get(person), sessions.current(person)])
        return { user, session, redirect: null }
      }
      const before = ends ? await answer() : null
      const { statements, events } = await act(person, exact, row)
      await write(person, events, [...claim, ...statements])
      deps.mailWaits()
      return {
        body: before ?? (await answer()),
        session: { is: ends ? 'ended' : 'kept' },
        transport: row.transport,
      }
    }

  const effects: Readonly<Record<Purpose, Effect>> = {
    'sign-in': signIn,
    'step-up': inSession(async (person) => sessions.confirm(person), false),
    'email-change': inSession((person, exact) => account.moveTo(person, exact), false),
    'account-deletion': inSession((person) => deps.erasure(person), true),
  }

  const attempt = async (proof: Proof): Promise<Redeemed> => {
    const { row, giveBack } = proof
    const now = clock.now()
    const claim = [
      ...[store.consume(row.id, now), guard('invalid_or_expired'), store.supersede(row, now)],
      ...(giveBack ? [giveBack] : []),
    ]
    return effects[row.purpose](proof, addresses.open(row.addressSealed, row.id), claim)
  }

  /** Redeems once more where a second first sign-in of the same address was sooner: then the user is there. */
  return async (proof: Proof): Promise<Redeemed> => {
    try {
      return await attempt(proof)
    } catch (error) {
      if (proof.row.purpose === 'sign-in' && isFailure(error, 'conflict')) return attempt(proof)
      throw error
    }
  }
}
