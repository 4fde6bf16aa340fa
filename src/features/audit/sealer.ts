// The sealer: numbers and hashes new rows in order and signs how far each chain is; prunes old ones; publishes heads.
import { isFailure } from '../../errors'
import type { Keyring } from '../../keyring'
import { createSigner } from '../../lib/ed25519'
import type { Clock, Log, Statement } from '../../ports'
import type { Unaudited } from '../../write'
import { allChains, hashOf, inPieces, type MarkKind, signedText } from './chain'
import type { AuditStore, EventRow, MarkRow, NewMarkRow } from './store'
import { markOf, type Verifier } from './verify'

type Deps = {
  store: AuditStore
  verifier: Pick<Verifier, 'beginningOf' | 'walk'>
  unaudited: Unaudited
  clock: Clock
  keyring: Keyring
  log: Log
}

const day = 86_400_000
const keptMs = 400 * day
const sealRows = 500
const pruneRows = 500

export const createSealer = ({ store, verifier, unaudited, clock, keyring, log }: Deps) => {
  const broken = new Set<string>()
  let publishedAt = clock.now() - day
  let signer: ({ kid: string } & Pick<ReturnType<typeof createSigner>, 'sign'>) | undefined

  const newMark = async (kind: MarkKind, chain: string, position: number, hash: string): Promise<NewMarkRow> => {
    const { kid, key } = keyring.current('audit-sign')
    if (signer?.kid !== kid) signer = { kid, ...createSigner(key) }
    const mark = { chain, position, hash, at: clock.now(), kid }
    const text = signedText(kind, markOf({ ...mark, genesis: await store.genesis(chain) }))
    return { ...mark, signature: signer.sign(text) }
  }

  const sealChain = async (chain: string, rows: readonly EventRow[], before: MarkRow | undefined) => {
    const from = before?.position ?? 0
    let hash = before?.hash ?? (await store.genesis(chain))
    const numbered = rows.flatMap((row, i) => {
      hash = hashOf(hash, from + i + 1, row)
      return store.number(row.workspaceId, row.id, from + i + 1, hash)
    })
    const moved = store.moveHead(before, await newMark('head', chain, from + rows.length, hash))
    return [...numbered, ...moved]
  }

  /** Whether the chains were sealed; not where another sealer was there first, or one of them is broken. */
  const attempt = async (chains: readonly [string, readonly EventRow[]][]): Promise<boolean> => {
    const statements: Statement[] = []
    const heads = await store.heads([allChains, ...chains.map(([chain]) => chain)])
    const opened = chains.filter(([chain]) => !heads.has(chain)).length
    for (const [chain, rows] of chains) statements.push(...(await sealChain(chain, rows, heads.get(chain))))
    if (opened > 0) {
      const before = heads.get(allChains)
      statements.push(...store.moveHead(before, await newMark('head', allChains, (before?.position ?? 0) + opened, '')))
    }
    try {
      await unaudited('sealing the audit is not itself an event', statements)
      return true
    } catch (error) {
      if (isFailure(error, 'conflict')) return false
      throw error
    }
  }

  /** A chain whose rows reach beyond its head was tampered with; one that another sealer took on meanwhile was not. */
  const report = async (chain: string) => {
    const [last, head] = [await store.lastPosition(chain), await store.head(chain)]
    if (broken.has(chain) || last <= (head?.position ?? 0)) return
    broken.add(chain)
    log.error({ chain, position: last }, 'audit chain broken: its rows reach beyond its head')
  }

  /** All at once, or where one of them will not, each by itself: no chain waits for another. */
  const sealPiece = async (stuck: Set<string>): Promise<{ read: number; sealed: number }> => {
    const rows = await store.unsealed([...stuck], sealRows)
    const chains = [...Map.groupBy(rows, (row) => row.chain)]
    if (chains.length === 0 || (await attempt(chains))) return { read: rows.length, sealed: rows.length }
    let sealed = 0
    for (const one of chains) {
      if (chains.length > 1 && (await attempt([one]))) {
        sealed += one[1].length
        continue
      }
      stuck.add(one[0])
      await report(one[0])
    }
    return { read: rows.length, sealed }
  }

  /** Whether there may be more to take off. */
  const prunePiece = async (chain: string): Promise<boolean> => {
    const from = await verifier.beginningOf(chain)
    if (!from) return false
    const rows = await store.sealed(chain, from.position, pruneRows)
    const kept = rows.findIndex(({ at }) => at >= clock.now() - keptMs)
    const to = rows.at(kept < 0 ? -1 : kept - 1)?.position
    if (!to || kept === 0) return false
    const walked = await verifier.walk(chain, from, to)
    if ('breach' in walked) {
      log.error({ chain, ...walked.breach }, 'audit chain broken: it is not pruned')
      return false
    }
    await unaudited('pruning leaves its own signed mark', [
      ...store.moveCheckpoint(from.position, await newMark('checkpoint', chain, to, walked.hash)),
      store.deleteUpTo(chain, to),
    ])
    return kept < 0
  }

  return {
    /**
     * Numbers and hashes the rows that have no place yet, each chain in order, and signs the new heads. Gives how many.
     * Stops between two pieces when `signal` aborts. Rows of a chain that another sealer took on, or that is broken, are
     * left, and nothing of them is done.
     */
    async seal(signal?: AbortSignal): Promise<number> {
      const stuck = new Set<string>()
      let [total, read] = [0, 0]
      do {
        const piece = await sealPiece(stuck)
        total += piece.sealed
        read = piece.read
      } while (read === sealRows && !signal?.aborted)
      return total
    },

    /**
     * Takes rows older than 400 days off the beginning of each chain, in pieces, and leaves a signed checkpoint. Stops
     * between two of them when `signal` aborts. A chain that does not hold there is left as it is.
     */
    async prune(signal?: AbortSignal): Promise<void> {
      for (const chain of await store.chains()) while (!signal?.aborted && (await prunePiece(chain)));
    },

    /** Writes the heads that moved since the last time to the log, for `audit verify --published`. */
    async publish(): Promise<void> {
      const moved = await store.headsSince(publishedAt)
      for (const head of moved) {
        const { chain, hash, ...mark } = markOf(head)
        const audit_head = {
          ...mark,
          chain: inPieces(chain),
          hash: inPieces(hash),
          signature: inPieces(head.signature),
        }
        log.info({ audit_head }, 'audit head')
        publishedAt = Math.max(publishedAt, head.at)
      }
    },
  }
}
