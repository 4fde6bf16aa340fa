// Who may call a route: each declares `access: 'noun:verb'` or `open: 'why'`, and the program does not start otherwise.
import { Elysia } from 'elysia'
import { type ErrorCode, Failure } from '../errors'
import { type Actor, boundTo, type Permission, type Person, permissions, scopeOf } from '../permissions'
import { createAnswers } from './answer'
import { readJson } from './body'
import { actorOf, arrivedAt, type Exchange, exchangeOf, personOf } from './exchange'
import { type Gate, type Need, openGate } from './rate-limit'

const refuse = (refusal: ErrorCode | Failure): never => {
  throw refusal instanceof Failure ? refusal : new Failure(refusal)
}

/** Refuses whoever does not hold `need`. */
const admit = (exchange: Exchange, need: Permission): void => {
  const { person, actor, refusal } = exchange.identity
  const scope = scopeOf(need)
  if ((scope === 'account' || scope === 'operator') && !person) refuse(actor ? 'forbidden' : refusal)
  if (scope === 'workspace' && !actor) refuse(refusal)
  if (scope === 'any' && !actor && !(person && refusal === 'workspace_required')) refuse(refusal)
  if (scope === 'workspace' && !actor?.permissions.has(need)) throw new Failure('forbidden')
  if (scope === 'operator' && !person?.operator) throw new Failure('forbidden')
  if (actor) exchange.workspace = actor.workspace.publicId
}

type Context = { request: Request; route: string }

// `parse` runs before the body is read, `transform` where there is none: a stranger is refused with the body unread.
// Both are synchronous where limits are: the identity was settled in intake, so that no promise can be forgotten here.
// Elysia reads these functions' text: a context that is not taken apart makes it prepare cookies and query, `async` or a
// returned call makes it await.
const hooksOf = (gate: Gate, enter: (exchange: Exchange) => Need | null, settle: Settle) => {
  const again = async (exchange: Exchange) => {
    await settle(exchange)
    enter(exchange)
  }
  // A body may be held back for as long as its sender likes: what was let in by its head is judged anew once it is here.
  const read = async (request: Request) => {
    const body = await readJson(request)
    if (body === null) return body
    await again(exchangeOf(request))
    return body
  }
  const arrive = (request: Request, route: string) => {
    const exchange = arrivedAt(request, route)
    exchange.again = again
    const need = exchange.isAdmitted ? null : enter(exchange)
    exchange.isAdmitted = true
    return { exchange, need }
  }
  if (gate.isLocal) {
    const pass = (request: Request, route: string) => {
      const { exchange, need } = arrive(request, route)
      if (need !== null) gate.pass(exchange, need)
    }
    return {
      parse: ({ request, route }: Context) => {
        pass(request, route)
        return read(request)
      },
      transform: ({ request, route }: Context) => {
        pass(request, route)
      },
    }
  }
  const pass = async (request: Request, route: string) => {
    const { exchange, need } = arrive(request, route)
    if (need !== null) await gate.pass(exchange, need)
  }
  return {
    parse: async ({ request, route }: Context) => {
      await pass(request, route)
      return read(request)
    },
    transform: async ({ request, route }: Context) => {
      await pass(request, route)
    },
  }
}

const isRead = ({ method }: Request) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** For the types: a route of an account permission has no actor, of a key's no person, of anybody's neither. */
type Held = { caller: Exchange; actor: Actor; person: Person }

/** Identifies the caller again. */
type Settle = (exchange: Exchange) => Promise<void>

/** The two words of a route. What passes the permission then passes `gate`. */
export const createAccess = (
  gate: Gate = openGate,
  settle: Settle = async () => {},
  defaults: Headers = new Headers(),
) => {
  const takeAnswers = createAnswers(defaults)
  return new Elysia({ name: 'access' }).macro({
    access: (need: Permission) => ({
      detail: { 'x-access': need } as Record<string, unknown>,
      ...hooksOf(
        gate,
        (exchange) => {
          admit(exchange, need)
          return need
        },
        settle,
      ),
      introspect: takeAnswers,
      resolve: ({ request }) => {
        const caller = exchangeOf(request)
        // Anybody's: whoever it is stands in `caller.identity`, and is not put together anew.
        if (scopeOf(need) === 'any') return { caller } as Held
        const held = actorOf(caller)
        const person = held ? held.person : personOf(caller)
        const actor = held && boundTo(held, need)
        return { caller, actor, person } as Held
      },
    }),
    open: (why: string) => ({
      detail: { 'x-access': `open: ${why}` } as Record<string, unknown>,
      ...hooksOf(gate, ({ request }) => (isRead(request) ? null : 'open'), settle),
      introspect: takeAnswers,
      resolve: ({ request }) => {
        const caller = exchangeOf(request)
        return { caller }
      },
    }),
  })
}

export type Access = ReturnType<typeof createAccess>

export type Route = { method: string; path: string; hooks: unknown }

/**
 * The boot net: every route declares who may call it, by one of the two words, and none takes any method or a socket. A
 * `response` that is left was never seen by a word: Elysia takes what a route declares out of it, and two shared it.
 */
export const assertEveryRouteDeclaresAccess = (routes: readonly Route[]): void => {
  const bare = routes.filter(({ method, hooks }) => {
    const { detail, response } = (hooks ?? {}) as { detail?: Record<string, unknown>; response?: unknown }
    const declared = detail?.['x-access']
    const known = typeof declared === 'string' && (declared.startsWith('open: ') || isPermission(declared))
    return !known || response !== undefined || method === 'ALL' || method === 'WS' || method === '$INTERNALWS'
  })
  if (bare.length > 0)
    throw new Error(`routes without declared access: ${bare.map((r) => `${r.method} ${r.path}`).join(', ')}`)
}

const isPermission = (text: string): boolean => (permissions as readonly string[]).includes(text)
