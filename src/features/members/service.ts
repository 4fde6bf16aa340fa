// Members of a workspace and their roles. A workspace always keeps one admin.
import type { Addresses } from '../../addresses'
import { Failure } from '../../errors'
import { type After, type Page, type PageQuery, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Actor, WorkspaceId } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import { revoke, type Subject } from '../../revocation'
import { assertFresh } from '../../step-up'
import { guard, type Write } from '../../write'
import type { Member, UpdateMember } from './model'
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
}

export const memberService = ({ db, write, clock, addresses, endKeysMadeBy, endInvitationsBy }: Deps) => {
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

    /** @throws `step_up_required`, `not_found`; `conflict` when it would leave no admin. */
    async update(actor: Actor, userId: string, { role }: UpdateMember): Promise<Member> {
      assertFresh(actor.person, clock.now())
      await write(actor, { action: 'member.updated', targets: [userId], change: { role } }, [
        store.setRole(actor.workspace.id, userId, role),
        guard('not_found'),
        store.keepsAnAdmin(actor.workspace.id),
        ...(role === 'admin' ? [] : [endInvitationsBy(actor.workspace.id, userId)]),
        revoke(clock.now(), ...subjects(actor, userId)),
      ])
      const row = await store.find(actor.workspace.id, userId)
      if (!row) throw new Failure('not_found')
      return present(row)
    },

    /** Removes a member, and the keys they made if told to; anybody may remove themselves. @throws `not_found`, `forbidden`, `step_up_required`; `conflict` when it would leave no admin. */
    async remove(actor: Actor, userId: string, revokeKeys = false): Promise<void> {
      const leaves = userId === actor.id
      if (!leaves && !actor.permissions.has('member:update')) throw new Failure('forbidden')
      if (!leaves) assertFresh(actor.person, clock.now())
      const endKeys = revokeKeys ? endKeysMadeBy(actor, userId) : []
      const event = { action: leaves ? 'member.left' : 'member.removed', targets: [userId] }
      await write(actor, { ...event, ...(revokeKeys && { change: { revoke_keys: true } }) }, [
        store.remove(actor.workspace.id, userId),
        guard('not_found'),
        store.keepsAnAdmin(actor.workspace.id),
        endInvitationsBy(actor.workspace.id, userId),
        revoke(clock.now(), ...subjects(actor, userId)),
        ...endKeys,
      ])
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
