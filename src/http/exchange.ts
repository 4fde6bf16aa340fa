// One request on its way: its id, where it comes from and as whom it is made. Intake makes it, everything later finds it.
import { type ErrorCode, Failure } from '../errors'
import { truncateAddress } from '../lib/client-address'
import type { Actor, Origin, Person } from '../permissions'

/** As whom a request is made. `refusal` says why there is no actor, and what a route that takes one answers. */
export type Identity = Readonly<{
  person: Omit<Person, 'origin'> | null
  actor: Omit<Actor, 'origin' | 'person'> | null
  refusal: ErrorCode | Failure
  /** The link whose ticket it was made by: good for one file at one version. */
  link?: Readonly<{ id: string; version: number; expiresAt: number }>
}>

export const nobody: Identity = { person: null, actor: null, refusal: 'unauthenticated' }

export type TakeTime = (seconds?: number) => void

const noCookies: readonly string[] = []

export class Exchange implements Origin {
  identity: Identity
  /** The pattern of the route that took it, for the log; never the path as sent. */
  route: string
  workspace: string | null
  /** What Content-Length a HEAD gets, where counting a body is out of the question. */
  contentLength: number | 'unknown' | null
  /** Whether it has passed access and limits: both are asked once, though two hooks ask. */
  isAdmitted: boolean
  claim: NonNullable<Origin['claim']> | null
  /** How its route lets it in, asked once more. */
  again: ((exchange: Exchange) => Promise<void>) | null
  /** How its limits stand, as headers, where there is reason to tell. */
  rateLimit: Readonly<Record<string, string>> | null
  /** The page that calls, as its `Origin` says; null where none is named. */
  readonly page: string | null
  /** Whether its answer was made with the headers that every answer has. */
  isDressed: boolean
  /** What its answer sets in the browser, as Set-Cookie values. */
  setCookies: readonly string[]

  // Assigned here: JavaScriptCore defines initialised fields one by one, at 1.5 µs a request.
  constructor(
    readonly request: Request,
    readonly requestId: string,
    readonly startedAt: number,
    private readonly remote: () => string | null,
    /** Lets the connection be silent for so many seconds, or for ever: for streams, once whoever asks was let in. */
    readonly takeTime: TakeTime = () => {},
  ) {
    this.page = request.headers.get('origin')
    this.identity = nobody
    this.route = ''
    this.workspace = null
    this.contentLength = null
    this.isAdmitted = false
    this.claim = null
    this.again = null
    this.rateLimit = null
    this.isDressed = false
    this.setCookies = noCookies
  }

  async judgeAnew(): Promise<void> {
    await this.again?.(this)
  }

  /** The client's address as the runtime or a trusted proxy tells it. */
  get address(): string | null {
    return this.remote()
  }
  /** The address cut to its network (/24, /48), the only form that is kept. */
  get client(): string | null {
    const address = this.remote()
    return address === null ? null : truncateAddress(address)
  }
  get userAgent(): string | null {
    return this.request.headers.get('user-agent')
  }
}

/** The person behind a session, as of this request. */
export const personOf = (origin: Exchange, { person }: Identity = origin.identity): Person | null =>
  person && { ...person, origin }

/** The actor of an identity, as of this request. */
export const actorOf = (origin: Exchange, identity: Identity = origin.identity): Actor | null =>
  identity.actor && { ...identity.actor, person: personOf(origin, identity), origin }

// On the request itself: a WeakMap is asked four times for each, and grows to all that the collector has not met yet.
const own = Symbol('exchange')
type Known = Request & { [own]?: Exchange }

export const rememberExchange = (request: Known, exchange: Exchange): void => {
  request[own] = exchange
}
export const findExchange = (request: Known): Exchange | undefined => request[own]

/** @throws Failure `internal` for a request that did not come through intake: nothing is answered without it. */
export const exchangeOf = (request: Request): Exchange => {
  const exchange = findExchange(request)
  if (!exchange) throw new Failure('internal')
  return exchange
}

/** The exchange of a request that a route has taken. */
export const arrivedAt = (request: Request, route: string): Exchange => {
  const exchange = exchangeOf(request)
  exchange.route = route
  return exchange
}

/** A refused request for the record: by whom, as far as it is known, and nothing that outlives the answer. */
export const denialOf = (exchange: Exchange, status: number) => {
  const { requestId, client, userAgent, identity, request, route } = exchange
  const origin = { requestId, client, userAgent }
  const person = identity.person && { ...identity.person, origin }
  const author = identity.actor
    ? { ...identity.actor, person, origin }
    : (person ?? { type: 'nobody' as const, origin })
  return { author, method: request.method, route, status }
}
