// Who may call a route: each declares `access: 'noun:verb'` or `open: 'why'`, and the program does not start otherwise.
import { Elysia } from 'elysia'
import { Failure } from '../errors'
import { type Actor, boundTo, type Permission, type Person, scopeOf } from '../permissions'
import { readJson } from './body'
import { actorOf, arrivedAt, type Exchange, exchangeOf, personOf } from './exchange'

/** Refuses whoever does not hold `need`. */
const admit = (exchange: Exchange, need: Permission): void => {
  const { person, actor, refusal } = exchange.identity
  const scope = scopeOf(need)
  if (scope === 'account' && !person) throw new Failure(actor ? 'forbidden' : refusal)
  if (scope === 'workspace' && !actor) throw new Failure(refusal)
  if (scope === 'any' && !actor && !(person && refusal === 'workspace_required')) throw new Failure(refusal)
  if (scope === 'workspace' && !actor?.permissions.has(need)) throw new Failure('forbidden')
  if (actor) exchange.workspace = actor.workspace.publicId
}

// `parse` runs before the body is read, `transform` where there is none: a stranger is refused with the body unread.
// Both are synchronous: the identity was settled in intake, so that no promise can be forgotten here. Elysia reads these
// functions' text: a context that is not taken apart makes it prepare cookies and query, a returned call makes it await.
export const createAccess = () =>
  new Elysia({ name: 'access' }).macro({
    access: (need: Permission) => ({
      detail: { 'x-access': need } as Record<string, unknown>,
      parse: ({ request, route }) => {
        admit(arrivedAt(request, route), need)
        return readJson(request)
      },
      transform: ({ request, route }) => {
        admit(arrivedAt(request, route), need)
      },
      resolve: ({ request }) => {
        const caller = exchangeOf(request)
        const [held, person] = [actorOf(caller), personOf(caller)]
        const actor = held && boundTo(held, need)
        // For the types: a route of an account permission has no actor, of a key's no person.
        return { caller, actor: actor as Actor, person: person as Person }
      },
    }),
    open: (why: string) => ({
      detail: { 'x-access': `open: ${why}` } as Record<string, unknown>,
      parse: ({ request, route }) => {
        arrivedAt(request, route)
        return readJson(request)
      },
      transform: ({ request, route }) => {
        arrivedAt(request, route)
      },
      resolve: ({ request }) => {
        const caller = exchangeOf(request)
        return { caller }
      },
    }),
  })

export type Access = ReturnType<typeof createAccess>

export type Route = { method: string; path: string; hooks: unknown }

/** The boot net: every route declares who may call it, by one of the two words, and none takes any method or a socket. */
export const assertEveryRouteDeclaresAccess = (routes: readonly Route[]): void => {
  const bare = routes.filter(({ method, hooks }) => {
    const declared = (hooks as { detail?: Record<string, unknown> } | undefined)?.detail?.['x-access']
    const known = typeof declared === 'string' && (declared.startsWith('open: ') || isPermission(declared))
    return !known || method === 'ALL' || method === 'WS' || method === '$INTERNALWS'
  })
  if (bare.length > 0)
    throw new Error(`routes without declared access: ${bare.map((r) => `${r.method} ${r.path}`).join(', ')}`)
}

const isPermission = (text: string) => {
  try {
    return scopeOf(text as Permission) !== undefined
  } catch {
    return false
  }
}
