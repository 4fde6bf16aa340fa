// Who may call a route: each declares `access: 'noun:verb'` or `open: 'why'`, and the program does not start otherwise.
import { Elysia } from 'elysia'
import { Failure } from '../errors'
import { type Actor, type Permission, type Person, scopeOf } from '../permissions'
import { readJson } from './body'
import { type Exchange, exchangeOf } from './exchange'

type Context = { request: Request; route: string; actor?: Actor; person?: Person; caller?: Exchange }

/** Refuses, or puts `actor` (workspace permissions) and `person` (a session) into the context. */
const admit = (context: Context, need: Permission): void => {
  const exchange = exchangeOf(context.request)
  exchange.route = context.route
  const { person, actor, refusal } = exchange.identity
  const scope = scopeOf(need)
  if (scope === 'account' && !person) throw new Failure(actor ? 'forbidden' : refusal)
  if (scope === 'workspace' && !actor) throw new Failure(refusal)
  if (scope === 'any' && !actor && !(person && refusal === 'workspace_required')) throw new Failure(refusal)
  if (scope === 'workspace' && !actor?.permissions.has(need)) throw new Failure('forbidden')
  if (person) context.person = { ...person, origin: exchange }
  if (actor) {
    exchange.workspace = actor.workspace.publicId
    context.actor = { ...actor, person: context.person ?? null, origin: exchange }
  }
  context.caller = exchange
}

const greet = (context: Context): void => {
  const exchange = exchangeOf(context.request)
  exchange.route = context.route
  context.caller = exchange
}

// `parse` runs before the body is read, `transform` where there is none: a stranger is refused with the body unread.
// Both are synchronous: the identity was settled in intake, so that no promise can be forgotten here.
export const createAccess = () =>
  new Elysia({ name: 'access' }).macro({
    access: (need: Permission) => ({
      detail: { 'x-access': need } as Record<string, unknown>,
      parse(context) {
        admit(context as unknown as Context, need)
        return readJson(context.request)
      },
      transform(context) {
        if (!(context as unknown as Context).caller) admit(context as unknown as Context, need)
      },
      // For the types: admit() has set them. A route of an account permission has no actor, of a key's no person.
      resolve: () => ({}) as { actor: Actor; person: Person; caller: Exchange },
    }),
    open: (why: string) => ({
      detail: { 'x-access': `open: ${why}` } as Record<string, unknown>,
      parse(context) {
        greet(context as unknown as Context)
        return readJson(context.request)
      },
      transform(context) {
        if (!(context as unknown as Context).caller) greet(context as unknown as Context)
      },
      resolve: () => ({}) as { caller: Exchange },
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
