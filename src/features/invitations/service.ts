// Invitations: an offer by mail that proves nothing. Accepting one takes a session of the address it was sent to.

import { Failure, isFailure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import { parseAddress } from '../../lib/address'
import { newId } from '../../lib/id'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import { overLimit } from '../../limits/rate-limited'
import type { Actor, Person, WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { revoke } from '../../revocation'
import { assertFresh } from '../../step-up'
import { demand, guard, type Unaudited, type Write } from '../../write'
import type { Addressed } from '../mail/service'
import type { QuotaService } from '../quotas/service'
import type { Accepted, Invitation, Invite, Offer } from './model'
import { type InvitationRow, invitationStore } from './store'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  addresses: Addresses
  /** The address of a person, hashed. */
  addressHashOf: (userId: string) => Promise<string | undefined>
  enqueueMail: (template: 'invitation', about: string, locale: string) => Statement
  /** Says that mail is waiting. */
  mailWaits: () => void
  /** A mail, and what it uses up of what its mailbox gets in invitations: it goes out only where there is room. */
  mailed: (mailboxHash: string, mail: Statement) => Statement[]
  quotas: Pick<QuotaService, 'keepsWithin'>
}

const dayMs = 86_400_000
const lifeMs = 7 * dayMs
/** Invitations that one person may send in a day, whatever the workspace. */
const daily = { name: 'user', rate: { limit: 100, windowMs: dayMs } }

export const invitationService = (deps: Deps) => {
  const { db, write, unaudited, clock, addresses } = deps
  const store = invitationStore(db)

  const statusOf = (row: InvitationRow, now: number): Invitation['status'] => {
    if (row.acceptedAt !== null) return 'accepted'
    if (row.revokedAt !== null) return 'revoked'
    return row.expiresAt <= now ? 'expired' : 'pending'
  }
  const present = (row: InvitationRow, now: number): Invitation => ({
    ...{ id: row.id, email: addresses.open(row.addressSealed, row.id), role: row.role, projects: row.projects },
    ...{ status: statusOf(row, now), created_at: rfc3339(row.createdAt), expires_at: rfc3339(row.expiresAt) },
  })

  /** Until the first of those that count is a day old. */
  const dayIsOver = async (id: string, now: number): Promise<Failure> =>
    overLimit(daily, ((await store.sentAt(id, daily.rate.limit - 1)) ?? now) + dayMs - now)

  return {
    /**
     * Offers a role to whoever proves `email`, for a week, and says so by mail. Whether anybody has that address shows
     * nowhere. @throws `conflict` for a member or who is invited already; `not_found` for a project the actor may not
     * enter; `rate_limited`; `step_up_required` to make an admin.
     */
    async create(actor: Actor, { email, role, projects, locale }: Invite): Promise<Invitation> {
      const [now, { exact, mailbox }, id] = [clock.now(), parseAddress(email), newId('inv')]
      const workspaceId = actor.workspace.id
      if (role === 'admin') assertFresh(actor.person, now)
      if (projects.some((id) => !actor.projects.includes(id))) throw new Failure('not_found')
      const addressHash = addresses.hash(exact)
      const row = {
        ...{ workspaceId, id, addressHash, addressSealed: addresses.seal(exact, id), role, projects, locale },
        ...{ invitedBy: actor.id, createdAt: now, expiresAt: now + lifeMs, acceptedAt: null, revokedAt: null },
      }
      await write(actor, { action: 'invitation.created', targets: [id], change: { role, projects } }, [
        demand(store.isAdmin(workspaceId, actor.id), 'forbidden'),
        demand(store.hasProjects(workspaceId, [...new Set(projects)]), 'not_found'),
        demand(store.isOutside(workspaceId, addressHash), 'conflict', 'Already a member'),
        demand(store.isUninvited(workspaceId, addressHash, now), 'conflict', 'Already invited'),
        store.demandRoom(actor.id, now - dayMs, daily.rate.limit),
        store.insert(row),
        ...deps.mailed(addresses.hashMailbox(mailbox), deps.enqueueMail('invitation', id, locale)),
      ]).catch(async (error: unknown) => {
        const isOver = isFailure(error, 'rate_limited')
        throw isOver ? await dayIsOver(actor.id, now) : error
      })
      deps.mailWaits()
      return present(row, now)
    },

    /** @throws `not_found` */
    async get(actor: Actor, id: string): Promise<Invitation> {
      const row = await store.find(actor.workspace.id, id)
      if (!row) throw new Failure('not_found')
      return present(row, clock.now())
    },

    /** The workspace's invitations, newest first, ended ones included. */
    async list(actor: Actor, query: PageQuery): Promise<Page<Invitation>> {
      const now = clock.now()
      const read = (limit: number, after: After | null) => store.list(actor.workspace.id, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.id }))
      return { ...page, data: page.data.map((row) => present(row, now)) }
    },

    /** @throws `not_found` for one that is not pending here. */
    async revoke(actor: Actor, id: string): Promise<void> {
      await write(actor, { action: 'invitation.revoked', targets: [id] }, [
        store.revoke(actor.workspace.id, id, clock.now()),
        guard('not_found'),
      ])
    },

    /** What the person may accept. */
    async offers({ id }: Person): Promise<Offer[]> {
      const hash = await deps.addressHashOf(id)
      const rows = hash === undefined ? [] : await store.ofAddress(hash, clock.now())
      return rows.map(({ row, workspaceName }) => ({
        ...{ id: row.id, workspace_name: workspaceName, role: row.role, expires_at: rfc3339(row.expiresAt) },
      }))
    },

    /**
     * Makes the person a member. @throws `not_found` for one that was sent to another address, has ended, or whose sender
     * is no admin any more; `conflict` for a member; `quota_exceeded`.
     */
    async accept(person: Person, id: string): Promise<Accepted> {
      const now = clock.now()
      const found = await store.byId(id, now)
      if (!found) throw new Failure('not_found')
      const { row, workspacePublicId } = found
      const event = { action: 'invitation.accepted', targets: [id, person.id], workspaceId: row.workspaceId }
      await write(person, { ...event, change: { role: row.role } }, [
        store.accept(row, person.id, now),
        guard('not_found'),
        { ...store.join(row, person.id, now), orElse: new Failure('conflict', 'Already a member') },
        deps.quotas.keepsWithin(row.workspaceId, 'members'),
        store.keepsWithin(person.id),
        ...(row.projects.length > 0 ? [store.enter(row, person.id, now)] : []),
        revoke(now, `user:${person.id}`),
      ])
      return { workspace_id: workspacePublicId, role: row.role }
    },

    /** Whether an address has an invitation that stands. */
    isInvited: async (exact: string): Promise<boolean> =>
      (await store.ofAddress(addresses.hash(exact), clock.now())).length > 0,

    /** Ends what a person offered in a workspace, for the batch that takes the right away. */
    endBy: (workspaceId: WorkspaceId, userId: string): Statement => store.revokeBy(workspaceId, userId, clock.now()),

    /** Forgets what was sent to an address, for the batch that ends its account. */
    erase: (addressHash: string): Statement[] => [store.removeOf(addressHash)],

    /** What the mail says; null once the invitation does not stand. */
    async mailOf(id: string): Promise<Addressed | null> {
      const found = await store.byId(id, clock.now())
      if (!found) return null
      const { row, workspaceName } = found
      const to = addresses.open(row.addressSealed, row.id)
      return { to, link: 'sign-in', workspace: workspaceName, until: row.expiresAt }
    },

    /** Forgets invitations that ended a month ago. */
    sweep: () =>
      unaudited('an ended invitation is no longer of use', [store.removeEndedBefore(clock.now() - 30 * dayMs)]),
  }
}
export type InvitationService = ReturnType<typeof invitationService>
