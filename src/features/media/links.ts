// Link tickets: one file at one version, for minutes, to whoever has the ticket and by the right of whoever made it.
import { Failure } from '../../errors'
import type { Keyring } from '../../keyring'
import { equalSecret, keyedHash, randomSecret } from '../../lib/crypto'
import { newId } from '../../lib/id'
import { rfc3339 } from '../../lib/time'
import { type Actor, heldIn, type Link } from '../../permissions'
import type { Clock, Database } from '../../ports'
import { type Held, revoke } from '../../revocation'
import { guard, type Unaudited, type Write } from '../../write'
import type { CreateLink, NewLink } from './model'
import { linkStore } from './store-links'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  keyring: Keyring
  /** A file that the actor sees. @throws Failure `not_found` */
  versionOf: (actor: Actor, mediaId: string) => Promise<{ projectId: string; version: number }>
}

const keptMs = 86_400_000

const hashOf = (pepper: Uint8Array, id: string, secret: string) => keyedHash(pepper, 'link', id, secret)

export const linkService = ({ db, write, unaudited, clock, keyring, versionOf }: Deps) => {
  const store = linkStore(db)

  return {
    /** A link to a file at its present version. Its ticket is not kept, and never shown again. @throws `not_found` */
    async create(actor: Actor, mediaId: string, { expires_in_seconds }: CreateLink): Promise<NewLink> {
      const { projectId, version } = await versionOf(actor, mediaId)
      const [id, secret, createdAt] = [newId('lnk'), randomSecret(), clock.now()]
      const { kid, key: pepper } = keyring.current('pepper')
      const expiresAt = createdAt + expires_in_seconds * 1000
      const row = {
        ...{ workspaceId: actor.workspace.id, id, projectId, mediaId, version, createdAt, expiresAt },
        ...{ kid, ticketHash: hashOf(pepper, id, secret) },
        ...{ createdBy: actor.id, sessionId: actor.person?.sessionId ?? null },
      }
      await write(actor, { action: 'link.created', targets: [id, mediaId], change: { expires_in_seconds } }, [
        { ...store.insert(row), orElse: new Failure('not_found') },
      ])
      const ticket = `${id.slice('lnk_'.length)}.${secret}`
      return { id, url: `/media/${mediaId}?ticket=${ticket}`, expires_at: rfc3339(expiresAt) }
    },

    /**
     * Ends a link of one's own, or with `media:delete` another's, and what is being read by it.
     * @throws `not_found`; `forbidden` for another's.
     */
    async revoke(actor: Actor, id: string): Promise<void> {
      const link = await store.find(actor.workspace.id, id)
      if (!link || !actor.projects.includes(link.projectId)) throw new Failure('not_found')
      const others = actor.projects.filter((project) => heldIn(actor, project).has('media:delete'))
      if (link.createdBy !== actor.id && !others.includes(link.projectId)) throw new Failure('forbidden')
      await write(actor, { action: 'link.revoked', targets: [id] }, [
        store.remove({ workspaceId: actor.workspace.id, maker: actor.id, others }, id),
        guard('not_found'),
        revoke(clock.now(), `link:${id}`),
      ])
    },

    /**
     * What a ticket opens, and by whose right, which is to be judged anew; also where its time is over. Null for one that
     * was never made, or is no more.
     */
    async prove(ticket: string): Promise<Held<Link> | null> {
      const [end, secret = ''] = ticket.split('.')
      const id = `lnk_${end}`
      const row = await store.locate(id)
      const pepper = row && keyring.find('pepper', row.kid)
      if (!pepper || !equalSecret(row.ticketHash, hashOf(pepper, id, secret))) return null
      const { mediaId: media, version, workspace, workspaceId, sessionId, createdBy, expiresAt } = row
      const maker =
        sessionId === null ? { type: 'key' as const, id: createdBy, workspaceId } : { type: 'user' as const, sessionId }
      return {
        value: { id, media, version, workspace, expiresAt, maker },
        subjects: [`link:${id}`, `workspace:${workspace}`],
        expiresAt: expiresAt + keptMs,
      }
    },

    /** Forgets links that expired a day ago. */
    sweep: () => unaudited('an expired link opens nothing', [store.removeExpiredBefore(clock.now() - keptMs)]),
  }
}
export type LinkService = ReturnType<typeof linkService>
