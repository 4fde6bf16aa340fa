// The workspace one is in, and what one may do there: the server is asked, nothing is worked out here.
import { computed, effect, signal } from '@preact/signals'
import type { Permission } from '../permissions'
import type { Me } from './api'
import { t } from './i18n'
import { paths } from './paths'
import { go, path } from './router'
import type { Problem } from './send'
import { api, loadWho, who, workspaceId } from './session'
import { kept } from './storage'
import { toast } from './ui/toast'

type Workspace = Me['workspaces'][number]
type Held = { workspace: string; permissions: ReadonlySet<string> }

const storageKey = 'latchkey.workspace'

const chosen = signal(kept.read(storageKey))
const held = signal<Held | null>(null)

export const workspaces = computed(() => (who.value.is === 'user' ? who.value.me.workspaces : []))
/** The chosen one, else the first; undefined for who is in none. */
export const workspace = computed(() => workspaces.value.find(({ id }) => id === chosen.value) ?? workspaces.value[0])
/** Why it is not known what one may do. */
export const placeProblem = signal<Problem | null>(null)
/** Whether it is known what one may do here. */
export const isSettled = computed(() => !workspace.value || held.value?.workspace === workspace.value.id)
export const may = (permission: Permission): boolean =>
  held.value?.workspace === workspace.value?.id && (held.value?.permissions.has(permission) ?? false)

/** Enters another workspace, from now on and in this browser's next visit. */
export const enter = (id: string): void => {
  chosen.value = id
  kept.write(storageKey, id)
}

/** Enters a workspace that was only just made or joined. */
export const enterNew = async (id: string): Promise<void> => {
  enter(id)
  await loadWho()
  go(paths.overview)
}

const ask = async ({ id }: Workspace) => {
  const answer = await api.whoami()
  if (workspaceId.peek() !== id) return
  placeProblem.value = answer.ok ? null : answer.problem
  if (answer.ok) held.value = { workspace: id, permissions: new Set(answer.data.permissions) }
}

export const askAgain = (): void => {
  if (workspace.peek()) void ask(workspace.peek()!)
}

let here: Workspace | undefined
effect(() => {
  const now = workspace.value
  const isGone = here && who.value.is === 'user' && !workspaces.value.some(({ id }) => id === here?.id)
  if (here && isGone) {
    toast(t('workspaces.gone', { name: here.name }))
    // These two are about the person, not about a workspace.
    if (path.peek() !== paths.workspaces && path.peek() !== paths.account) go(paths.overview)
  }
  if (who.value.is === 'nobody') held.value = null
  here = now
  workspaceId.value = now?.id ?? null
  if (now) void ask(now)
})
