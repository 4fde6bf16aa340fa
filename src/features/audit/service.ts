// The audit: read under audit, sealed into chains, and verified.
import type { Keyring } from '../../keyring'
import { createSigner } from '../../lib/ed25519'
import { type Page, paginate } from '../../lib/page'
import { rfc3339 } from '../../lib/time'
import type { Actor, Person } from '../../permissions'
import type { Clock, Database, Statement } from '../../ports'
import type { Unaudited, Write } from '../../write'
import { allChains, chainOf, genesis, hashOf, signedText } from './chain'
import type { AuditEvent, AuditQuery, Breach, Verification } from './model'
import { auditStore, type EventRow, type HeadRow } from './store'

type Deps = { db: Database; write: Write; unaudited: Unaudited; clock: Clock; keyring: Keyring }

const readingMs = 10 * 60_000
const sealRows = 500
const verifyRows = 500
const ownEvents = 1000

const present = (row: EventRow): AuditEvent => ({
  id: row.id,
  at: rfc3339(row.at),
  action: row.action,
  actor: { type: row.actorType, id: row.actorId },
  targets: row.targets,
  outcome: row.outcome,
  request_id: row.requestId,
  client: row.client,
  change: row.change,
  position: row.position,
  hash: row.hash,
})

const breach = (reason: Breach['reason'], position: number): Breach => ({ reason, position })

export const auditService = ({ db, write, unaudited, clock, keyring }: Deps) => {
  const store = auditStore(db)

  const newHead = (chain: string, position: number, hash: string): HeadRow => {
    const { kid, key } = keyring.current('audit-sign')
    const head = { chain, position, hash, at: clock.now() }
    return { ...head, kid, signature: createSigner(key).sign(signedText(head)) }
  }

  const signerOf = ({ kid }: HeadRow) => {
    const seed = keyring.find('audit-sign', kid)
    return seed && createSigner(seed)
  }
  const isSigned = (head: HeadRow) => signerOf(head)?.verify(signedText(head), head.signature) ?? false

  const sealChain = (chain: string, rows: readonly EventRow[], before: HeadRow | undefined): Statement[] => {
    const from = before?.position ?? 0
    let hash = before?.hash ?? genesis(chain)
    const numbered = rows.map((row, i) => {
      hash = hashOf(hash, from + i + 1, row)
      return store.number(row.workspaceId, row.id, from + i + 1, hash)
    })
    return [...numbered, ...store.moveHead(before, newHead(chain, from + rows.length, hash))]
  }

  const sealPiece = async (): Promise<number> => {
    const rows = await store.unsealed(sealRows)
    const statements: Statement[] = []
    let opened = 0
    for (const [chain, events] of Map.groupBy(rows, (row) => row.chain)) {
      const before = await store.head(chain)
      if (!before) opened++
      statements.push(...sealChain(chain, events, before))
    }
    if (opened > 0) {
      const before = await store.head(allChains)
      statements.push(...store.moveHead(before, newHead(allChains, (before?.position ?? 0) + opened, '')))
    }
    if (rows.length > 0) await unaudited('sealing the audit is not itself an event', statements)
    return rows.length
  }

  const verifyRest = async (chain: string, head: HeadRow): Promise<Breach | null> => {
    let [expected, previous] = [1, genesis(chain)]
    let after = Number.MIN_SAFE_INTEGER
    while (expected <= head.position) {
      const rows = await store.sealed(chain, after, verifyRows)
      if (rows.length === 0) return breach('truncated', expected)
      for (const row of rows.slice(0, head.position - expected + 1)) {
        if (row.position !== expected) return breach('missing', expected)
        previous = hashOf(previous, expected, row)
        if (row.hash !== previous) return breach('altered', expected)
        after = expected++
      }
      // A long chain is hashed in pieces, so that other requests go on.
      await clock.sleep(0)
    }
    return previous === head.hash ? null : breach('forged', head.position)
  }

  /** A chain of which nothing is left either never was, or is one fewer than the signed number of chains. */
  const verifyAbsence = async (): Promise<Breach | null> => {
    const [chains, total] = [await store.chainCount(), await store.head(allChains)]
    if (total ? !isSigned(total) : chains > 0) return breach('forged', 0)
    return chains === (total?.position ?? 0) ? null : breach('dropped', 0)
  }

  const findBreach = async (chain: string): Promise<[HeadRow | undefined, Breach | null]> => {
    // In this order: a head moves on together with its rows, so honest rows never reach beyond a head read later.
    const last = await store.lastPosition(chain)
    const head = await store.head(chain)
    if (!head) return [head, last > 0 ? breach('forged', last) : await verifyAbsence()]
    if (!isSigned(head) || last > head.position) return [head, breach('forged', head.position)]
    return [head, await verifyRest(chain, head)]
  }

  /** Whether a chain (`workspace:<number>`, `user:<id>`, `instance`) is all that was sealed, in order; and its head. */
  const verify = async (chain: string): Promise<Verification> => {
    const [head, found] = await findBreach(chain)
    const signer = head && signerOf(head)
    return {
      intact: found === null,
      breach: found,
      head: signer
        ? {
            position: head.position,
            hash: head.hash,
            signed_at: rfc3339(head.at),
            signed_text: signedText(head),
            signature: head.signature,
            public_key: signer.publicKey,
          }
        : null,
    }
  }

  /** Leaves one row for all that an actor reads in ten minutes, before the first of it is shown. */
  const noteReading = async (actor: Actor): Promise<void> => {
    const [chain, action] = [chainOf(actor.workspace.id), 'audit.read']
    if (await store.hasEvent(chain, action, actor.id, clock.now() - readingMs)) return
    await write(actor, { action, targets: [actor.workspace.publicId] }, [])
  }

  return {
    /** The newest of what a person did to their own account, or had done to it. */
    async ofPerson({ id }: Person): Promise<AuditEvent[]> {
      const all = { action: null, actor: null, target: null, from: 0, to: Number.MAX_SAFE_INTEGER }
      return (await store.list(`user:${id}`, all, ownEvents, null)).map(present)
    },

    /** What happened in the actor's workspace, newest first. */
    async list(actor: Actor, { action, actor: by, target, from, to, ...page }: AuditQuery): Promise<Page<AuditEvent>> {
      await noteReading(actor)
      const filters = {
        ...{ action: action ?? null, actor: by ?? null, target: target ?? null },
        ...{ from: from ?? 0, to: to ?? Number.MAX_SAFE_INTEGER },
      }
      const chain = chainOf(actor.workspace.id)
      const found = await paginate(
        page,
        (limit, after) => store.list(chain, filters, limit, after),
        (row) => ({ at: row.at, id: row.id }),
      )
      return { ...found, data: found.data.map(present) }
    },

    /**
     * Numbers and hashes the rows that have no place yet, each chain in order, and signs the new heads. Gives how many.
     * Stops between two pieces when `signal` aborts. @throws `conflict` when another sealer was there first: then nothing
     * of that piece was done.
     */
    async seal(signal?: AbortSignal): Promise<number> {
      let [total, piece] = [0, 0]
      do {
        piece = await sealPiece()
        total += piece
      } while (piece === sealRows && !signal?.aborted)
      return total
    },

    verify,
    /** As `verify` for every chain there is: how many, and which of them do not hold. For the operator. */
    async verifyAll(): Promise<{ chains: number; broken: ({ chain: string } & Breach)[] }> {
      const chains = await store.chains()
      const found: [string, Breach | null][] = [[allChains, await verifyAbsence()]]
      for (const chain of chains) found.push([chain, (await findBreach(chain))[1]])
      return { chains: chains.length, broken: found.flatMap(([chain, it]) => (it ? [{ chain, ...it }] : [])) }
    },
    verifyWorkspace: (actor: Actor): Promise<Verification> => verify(chainOf(actor.workspace.id)),
  }
}
export type AuditService = ReturnType<typeof auditService>
