// Members of a workspace and their roles. A workspace always keeps one admin.

import { Failure } from '../../errors'
import type { Addresses } from '../../keyring/addresses'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Actor, WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import type { Fence, NewReceipt, Receipt } from '../../receipt'
import { revoke, type Subject } from '../../revocation'
import { assertFresh } from '../../step-up'
import { guard, type Write } from '../../write'
import type { Member, UpdatedMember, UpdateMember } from './model'
import { type MemberRow, memberStore } from './store'

type Deps = {
  db: Database
  write: Write
  clock: Clock
  addresses: Addresses
  /** Ends the keys a person made, as statements. @throws Failure `forbidden` for who may not. */
  endKeysMadeBy: (actor: Actor, userId: string) => Statement[]
  /** Ends what a person offered to others there; they no longer may. */
  endInvitationsBy: (workspaceId: WorkspaceId, userId: string) => Statement
  newReceipt: NewReceipt
}

export const memberService = (deps: Deps) => {
  const { db, write, clock, addresses, endKeysMadeBy, endInvitationsBy, newReceipt } = deps
  const store = memberStore(db)

  const present = (row: MemberRow): Member => ({
    user_id: row.userId,
    email: addresses.open(row.addressSealed, row.userId),
    name: row.name,
    role: row.role,
    joined_at: rfc3339(row.createdAt),
  })
  const subjects = (actor: Actor, userId: string): Subject[] => [
    `member:${actor.workspace.publicId}:${userId}`,
    `user:${userId}`,
  ]

  return {
    async list(actor: Actor, query: PageQuery): Promise<Page<Member>> {
      const read = (limit: number, after: After | null) => store.list(actor.workspace.id, after, limit)
      const page = await paginate(query, read, (row) => ({ at: row.createdAt, id: row.userId }))
      return { ...page, data: page.data.map(present) }
    },

    /** With a receipt where one is asked for. @throws `step_up_required`, `not_found`; `conflict` when it would leave no admin. */
    async update(actor: Actor, userId: string, { role }: UpdateMember, { fence }: Fence = {}): Promise<UpdatedMember> {
      const now = clock.now()
      assertFresh(actor.person, now)
      await write(actor, { action: 'member.updated', targets: [userId], change: { role } }, [
        store.setRole(actor.workspace.id, userId, role),
        guard('not_found'),
        store.keepsAnAdmin(actor.workspace.id),
        ...(role === 'admin' ? [] : [endInvitationsBy(actor.workspace.id, userId)]),
        revoke(now, ...subjects(actor, userId)),
      ])
      const row = await store.find(actor.workspace.id, userId)
      if (!row) throw new Failure('not_found')
      return { ...present(row), ...(fence && (await newReceipt(now, true))) }
    },

    /** Removes a member, and the keys they made if told to; anybody may remove themselves. Gives a receipt where one is asked for. @throws `not_found`, `forbidden`, `step_up_required`; `conflict` when it would leave no admin. */
    async remove(
      actor: Actor,
      userId: string,
      revokeKeys = false,
      { fence }: Fence = {},
    ): Promise<Receipt | undefined> {
      const leaves = userId === actor.id
      if (!leaves && !actor.permissions.has('member:update')) throw new Failure('forbidden')
      if (!leaves) assertFresh(actor.person, clock.now())
      const now = clock.now()
      const endKeys = revokeKeys ? endKeysMadeBy(actor, userId) : []
      const event = { action: leaves ? 'member.left' : 'member.removed', targets: [userId] }
      await write(actor, { ...event, ...(revokeKeys && { change: { revoke_keys: true } }) }, [
        store.remove(actor.workspace.id, userId),
        guard('not_found'),
        store.keepsAnAdmin(actor.workspace.id),
        endInvitationsBy(actor.workspace.id, userId),
        revoke(now, ...subjects(actor, userId)),
        ...endKeys,
      ])
      return fence && newReceipt(now, true)
    },

    /**
     * Takes a person out of every workspace, for the batch that ends their account; one that is theirs alone is deleted.
     * That batch fails with `conflict` while they are the last admin of one that others are in.
     */
    async leaveAll(userId: string): Promise<Statement[]> {
      const now = clock.now()
      const last = 'You are the last admin of a workspace that others are in'
      return (await store.placesOf(userId)).flatMap(({ workspaceId, id, others, isClosing }) => [
        ...(others === 0 ? [...store.close(workspaceId, now), revoke(now, `workspace:${id}`)] : []),
        store.remove(workspaceId, userId),
        endInvitationsBy(workspaceId, userId),
        ...(others > 0 && !isClosing ? [store.keepsAnAdmin(workspaceId, last)] : []),
      ])
    },
  }
}
export type MemberService = ReturnType<typeof memberService>
