// Link tickets: `GET /media/med_…?ticket=…` is made as whoever made the link is now, for that one file and nothing else.
import { Failure } from '../errors'
import { sha256 } from '../lib/crypto'
import type { Link } from '../permissions'
import { type Identity, nobody } from './exchange'
import type { KeyTenancy, SessionProof, Sources, Wanted } from './identify'

type Asked = { media: string; ticket: string }
type Later<T> = T | Promise<T>

const ofOneFile = /^https?:\/\/[^/?#]+\/media\/(med_[0-9A-Za-z]{22})\?(.+)$/
const shape = /^[0-9A-Za-z]{22}\.[\w-]{43}$/
const nothing: Identity = { ...nobody, refusal: 'not_found' }

/** The ticket of a request for a file's bytes; null on any other route, and beside an `Authorization` header. */
export const ticketIn = ({ method, url, headers }: Request): Asked | null => {
  if (!url.includes('ticket=') || headers.has('authorization')) return null
  const [, media, query] = (method === 'GET' || method === 'HEAD' ? ofOneFile.exec(url) : null) ?? []
  const tickets = new URLSearchParams(query).getAll('ticket')
  if (media === undefined || tickets.length === 0) return null
  return { media, ticket: tickets.length === 1 ? tickets[0]! : '' }
}

type From = Pick<Sources, 'links' | 'proveLink' | 'sessions' | 'keys' | 'proveSessionOf' | 'proveKeyOf' | 'now'>
type Ways = {
  lookUp: (wanted: Wanted, fill: () => Promise<Link | null>, as: (link: Link) => Later<Identity>) => Promise<Identity>
  throughSession: (wanted: Wanted, person: SessionProof) => Later<Identity>
  asKey: (wanted: Wanted, key: KeyTenancy) => Later<Identity>
}

const then = <T, U>(value: Later<T>, next: (value: T) => Later<U>): Later<U> =>
  value instanceof Promise ? value.then(next) : next(value)

/**
 * The identity of a request with a ticket, synchronous when all is cached. Whatever keeps the maker out, or the ticket
 * from naming this file now, is the same `not_found`.
 */
export const createTickets = (from: From, { lookUp, throughSession, asKey }: Ways) => {
  const asMaker = (wanted: Wanted, { maker }: Link): Later<Identity> => {
    if (maker.type === 'key') {
      const { id, workspaceId } = maker
      const key = from.keys.get(id) ?? from.keys.fill(id, () => from.proveKeyOf(workspaceId, id))
      return then(key, (found) => (found ? asKey(wanted, found) : nothing))
    }
    const { sessionId } = maker
    const person = from.sessions.get(sessionId) ?? from.sessions.fill(sessionId, () => from.proveSessionOf(sessionId))
    return then(person, (found) => (found ? throughSession(wanted, found) : nothing))
  }

  const open = (wanted: Wanted, media: string, link: Link): Later<Identity> => {
    const isElsewhere = wanted.workspace !== null && wanted.workspace !== link.workspace
    if (link.media !== media || link.expiresAt <= from.now() || isElsewhere) return nothing
    const { id, version, expiresAt } = link
    return then(asMaker({ ...wanted, workspace: link.workspace }, link), (made) =>
      made.actor ? { ...made, link: { id, version, expiresAt } } : nothing,
    )
  }

  return (wanted: Wanted, { media, ticket }: Asked): Later<Identity> => {
    const cacheKey = sha256(ticket)
    const warm = from.links.get(cacheKey)
    if (warm) return open(wanted, media, warm)
    if (!shape.test(ticket)) return nothing
    const fill = () => from.links.fill(cacheKey, () => from.proveLink(ticket))
    return lookUp(wanted, fill, (link) => open(wanted, media, link)).then((found) =>
      found.actor || found.refusal instanceof Failure ? found : nothing,
    )
  }
}
