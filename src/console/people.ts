// The people of the workspace by id, so that a page can say who where the API says which.
import { signal } from '@preact/signals'
import { may } from './place'
import { api, workspaceId } from './session'
import type { Member } from './workspace-api'

const known = signal<{ workspace: string; members: ReadonlyMap<string, Member> } | null>(null)

/** Reads them anew. Who may not see them sees ids. */
export const loadPeople = async (): Promise<void> => {
  const workspace = workspaceId.peek()
  if (!workspace || !may('member:read')) return
  const answer = await api.members()
  if (answer.ok) known.value = { workspace, members: new Map(answer.data.data.map((m) => [m.user_id, m])) }
}

const here = () => (known.value?.workspace === workspaceId.value ? known.value?.members : undefined)

/** What to call a member: their name, else their address. */
export const callOf = ({ name, email }: Member): string => name ?? email
/** The same by a user's id, or the id itself. */
export const nameOf = (id: string): string => {
  const member = here()?.get(id)
  return member ? callOf(member) : id
}
export const membersHere = (): readonly Member[] => [...(here()?.values() ?? [])]
