// Whether a chain is all that was sealed, in order: its rows against its marks, and its marks against their signatures.
import type { InTurn } from '../../lib/turns'
import { allChains, hashOf, type Mark, type MarkKind, signedText } from './chain'
import type { Breach } from './model'
import type { AuditStore, EventRow, MarkRow } from './store'

const pieceRows = 500

export type Broken = { chain: string } & Breach
export const breach = (reason: Breach['reason'], position: number): Breach => ({ reason, position })

/** As it is named outside. */
export const markOf = ({ genesis, position, hash, at }: Omit<MarkRow, 'kid' | 'signature'>): Mark => ({
  ...{ chain: genesis, position, hash, at },
})

/** Follows rows that are handed over in order, from a mark on. Gives the first breach, if any. */
export const createFollower = (from: Pick<Mark, 'position' | 'hash'>) => {
  let [position, hash] = [from.position, from.hash]
  return {
    follow: (row: Omit<EventRow, 'workspaceId' | 'chain'>): Breach | null => {
      if (row.position !== position + 1) return breach('missing', position + 1)
      hash = hashOf(hash, ++position, row)
      return row.hash === hash ? null : breach('altered', position)
    },
    reached: () => ({ position, hash }),
  }
}

type Deps = {
  store: AuditStore
  /** Whether a mark carries our signature. */
  isSigned: (text: string, mark: MarkRow) => boolean
  /** Runs each piece of a long chain. */
  inTurn: InTurn
}

export const createVerifier = ({ store, isSigned, inTurn }: Deps) => {
  const holds = (kind: MarkKind, mark: MarkRow) => isSigned(signedText(kind, markOf(mark)), mark)

  /** Where the rows that are left begin: after the checkpoint, or at the start. Null for a forged one. */
  const beginningOf = async (chain: string): Promise<Pick<Mark, 'position' | 'hash'> | null> => {
    const checkpoint = await store.checkpoint(chain)
    if (!checkpoint) return { position: 0, hash: await store.genesis(chain) }
    return holds('checkpoint', checkpoint) ? checkpoint : null
  }

  /** Follows a chain up to a position; gives where it got, or the first breach. */
  const walk = async (
    chain: string,
    from: Pick<Mark, 'position' | 'hash'>,
    to: number,
  ): Promise<{ breach: Breach } | { hash: string }> => {
    const follower = createFollower(from)
    // From the very first: a row that was put in before the beginning is found as well.
    let after = Number.MIN_SAFE_INTEGER
    const next = async (): Promise<Breach | null> => {
      const at = follower.reached().position
      const rows = await store.sealed(chain, after, pieceRows)
      if (rows.length === 0) return breach('truncated', at + 1)
      for (const row of rows.slice(0, to - at)) {
        const found = follower.follow(row)
        if (found) return found
      }
      after = follower.reached().position
      return null
    }
    while (follower.reached().position < to) {
      const found = await inTurn(next)
      if (found) return { breach: found }
    }
    return { hash: follower.reached().hash }
  }

  /** A chain of which nothing is left either never was, or is one fewer than the signed number of chains. */
  const verifyAbsence = async (): Promise<Breach | null> => {
    const [chains, total] = [await store.chainCount(), await store.head(allChains)]
    if (total ? !holds('head', total) : chains > 0) return breach('forged', 0)
    return chains === (total?.position ?? 0) ? null : breach('dropped', 0)
  }

  /** Against the heads that were published of it: a restored backup is consistent, but behind what was shown. */
  const verifyPublished = async (chain: string, head: MarkRow | undefined, published: readonly Mark[]) => {
    const begins = (await store.checkpoint(chain))?.position ?? 0
    const genesis = await store.genesis(chain)
    for (const { position, hash } of published.filter((mark) => mark.chain === genesis)) {
      if (position > (head?.position ?? 0)) return breach('rolled_back', position)
      if (position <= begins) continue
      const [row] = await store.sealed(chain, position - 1, 1)
      if (row?.position !== position || row.hash !== hash) return breach('forged', position)
    }
    return null
  }

  /** The rows of a chain against its head, whose signature holds. */
  const verifyRows = async (chain: string, head: MarkRow): Promise<Breach | null> => {
    const from = await beginningOf(chain)
    if (!from || from.position > head.position) return breach('forged', from?.position ?? 0)
    const walked = await walk(chain, from, head.position)
    if ('hash' in walked) return walked.hash === head.hash ? null : breach('forged', head.position)
    // Pruned while it was followed: from the new beginning.
    const moved = (await beginningOf(chain))?.position !== from.position
    return moved ? verifyRows(chain, head) : walked.breach
  }

  /** The head of a chain and its first breach. `published`: heads from elsewhere whose signatures hold. */
  const findBreach = async (
    chain: string,
    published: readonly Mark[] = [],
  ): Promise<[MarkRow | undefined, Breach | null]> => {
    // In this order: a head moves on together with its rows, so honest rows never reach beyond a head read later.
    const last = await store.lastPosition(chain)
    const head = await store.head(chain)
    const found = !head
      ? last > 0
        ? breach('forged', last)
        : await verifyAbsence()
      : !holds('head', head) || last > head.position
        ? breach('forged', head.position)
        : await verifyRows(chain, head)
    return [head, found ?? (await verifyPublished(chain, head, published))]
  }

  return {
    beginningOf,
    walk,
    findBreach,
    /** As `findBreach` for every chain there is: how many, and which of them do not hold. For the operator. */
    async verifyAll(published: readonly Mark[] = []): Promise<{ chains: number; broken: Broken[] }> {
      const chains = await store.chains()
      const found: [string, Breach | null][] = [[allChains, await verifyAbsence()]]
      for (const chain of chains) found.push([chain, (await findBreach(chain, published))[1]])
      return { chains: chains.length, broken: found.flatMap(([chain, it]) => (it ? [{ chain, ...it }] : [])) }
    },
  }
}
export type Verifier = ReturnType<typeof createVerifier>
