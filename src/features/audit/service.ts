// The audit: read and exported under audit, sealed into chains, and verified.
import type { Keyring } from '../../keyring'
import { createSigner } from '../../lib/ed25519'
import { createLru } from '../../lib/lru'
import type { Page } from '../../lib/page'
import { streamOf } from '../../lib/stream'
import { createTurns } from '../../lib/turns'
import type { Traffic } from '../../limits/traffic'
import type { Actor, Judge, Person } from '../../permissions'
import type { Clock, Database, Hold, Log } from '../../ports'
import { type Revocations, subjectsOf } from '../../revocation'
import { assertFresh } from '../../step-up'
import type { Unaudited, Write } from '../../write'
import { chainOf, type Mark } from './chain'
import type { AuditEvent, AuditQuery, ExportHead, ExportQuery, Verification } from './model'
import { exportForms, presentEvent, presentMark } from './present'
import { createSealer } from './sealer'
import { createSearch } from './search'
import { auditStore, type MarkRow } from './store'
import { createVerifier } from './verify'

type Deps = {
  db: Database
  write: Write
  unaudited: Unaudited
  clock: Clock
  keyring: Keyring
  log: Log
  revocations: Pick<Revocations, 'version' | 'hold'>
  traffic: Pick<Traffic, 'outgoing'>
}

const readingMs = 10 * 60_000
const exportRows = 500
const ownEvents = 1000
const knownReaders = 10_000

const noPlace = { begin: (right: Hold) => right, end: () => {} }

export const auditService = ({ db, write, unaudited, clock, keyring, log, revocations, traffic }: Deps) => {
  const store = auditStore(db)
  // Whoever asks for how much, and how many at once: it is read in pieces, and no two follow each other at once.
  const inTurn = createTurns(() => clock.sleep(0))
  const search = createSearch(store, inTurn)

  const signerOf = ({ kid }: MarkRow) => {
    const seed = keyring.find('audit-sign', kid)
    return seed && createSigner(seed)
  }
  const verifier = createVerifier({
    store,
    isSigned: (text, mark) => signerOf(mark)?.verify(text, mark.signature) ?? false,
    inTurn,
  })
  const { seal, prune, publish } = createSealer({ store, verifier, unaudited, clock, keyring, log })

  const present = (kind: 'head' | 'checkpoint', mark: MarkRow | undefined) => {
    const signer = mark && signerOf(mark)
    return signer ? presentMark(kind, mark, signer.publicKey) : null
  }

  /** Whether a chain (`workspace:<number>`, `user:<id>`, `instance`) is all that was sealed, in order; and its head. */
  const verify = async (chain: string, published: readonly Mark[] = []): Promise<Verification> => {
    const [head, found] = await verifier.findBreach(chain, published)
    return { intact: found === null, breach: found, head: present('head', head) }
  }

  const verifying = new Map<string, Promise<Verification>>()
  /** As `verify`; whoever asks while it is under way gets the same answer. */
  const verifyOnce = (chain: string): Promise<Verification> => {
    const known = verifying.get(chain)
    if (known) return known
    const found = verify(chain).finally(() => verifying.delete(chain))
    verifying.set(chain, found)
    return found
  }

  const readers = createLru<string, number>(knownReaders)
  /** Leaves one row for all that an actor reads here in ten minutes, before the first of it is shown. */
  const noteReading = async (actor: Actor): Promise<void> => {
    const [reader, now] = [`${actor.workspace.id} ${actor.id}`, clock.now()]
    if ((readers.get(reader) ?? 0) > now) return
    await write(actor, { action: 'audit.read', targets: [actor.workspace.publicId] }, [])
    readers.set(reader, now + readingMs)
  }

  /** The sealed rows of a chain up to a position, as lines, while the right to them lasts. */
  async function* linesOf(chain: string, to: number, line: (event: AuditEvent) => string, right: AbortSignal) {
    let after = (await store.checkpoint(chain))?.position ?? 0
    while (after < to) {
      right.throwIfAborted()
      const lines = await inTurn(async () => {
        const rows = (await store.sealed(chain, after, exportRows)).filter((row) => (row.position ?? 0) <= to)
        after = rows.at(-1)?.position ?? to
        return rows.map((row) => line(presentEvent(row))).join('')
      })
      if (lines !== '') yield lines
    }
  }

  return {
    /** The newest of what a person did to their own account, or had done to it. */
    ofPerson: async ({ id }: Person): Promise<AuditEvent[]> =>
      (await search(`user:${id}`, { limit: ownEvents, cursor: null })).data.map(presentEvent),

    /** What happened in the actor's workspace, newest first; a page ends early where little passes the filters. */
    async list(actor: Actor, query: AuditQuery): Promise<Page<AuditEvent>> {
      await noteReading(actor)
      const found = await search(chainOf(actor.workspace.id), query)
      return { ...found, data: found.data.map(presentEvent) }
    },

    /**
     * All that is sealed of the actor's workspace, oldest first, once it is opened and as it is read: JSONL, which can be
     * verified offline, or CSV. Ends with an error when the right to it is taken away. @throws `step_up_required`; and where
     * it is opened as a download of its own, `rate_limited`
     */
    export(actor: Actor, judge: Judge, { format }: ExportQuery, as: 'download' | 'part' = 'download') {
      assertFresh(actor.person, clock.now())
      const [chain, form, since] = [chainOf(actor.workspace.id), exportForms[format], revocations.version()]
      const still = async () => (await judge(actor.workspace.publicId))?.permissions.has('audit:export') ?? false
      const open = async (): Promise<ReadableStream<Uint8Array>> => {
        const place = as === 'part' ? noPlace : traffic.outgoing(actor)
        await write(actor, { action: 'audit.exported', targets: [actor.workspace.publicId], change: { format } }, [])
        const head = await store.head(chain)
        const marks: ExportHead = {
          ...{ latchkey_audit: 1, workspace: actor.workspace.publicId },
          ...{ checkpoint: present('checkpoint', await store.checkpoint(chain)), head: present('head', head) },
        }
        // Held from the first read on: what is never read holds nothing.
        const bytes = async function* () {
          const right = place.begin(revocations.hold(subjectsOf(actor), since, still))
          const text = new TextEncoder()
          try {
            yield text.encode(form.begin(marks))
            for await (const lines of linesOf(chain, head?.position ?? 0, form.line, right.signal))
              yield text.encode(lines)
          } finally {
            right.release()
          }
        }
        return streamOf(bytes(), place.end)
      }
      return { type: form.type, name: `audit.${format}`, open }
    },

    /** Of the keys that sign heads and checkpoints, the newest first. */
    publicKeys: (): string[] => keyring.all('audit-sign').map(({ key }) => createSigner(key).publicKey),
    seal,
    prune,
    publish,
    verify,
    verifyAll: verifier.verifyAll,
    verifyWorkspace: (actor: Actor): Promise<Verification> => verifyOnce(chainOf(actor.workspace.id)),
  }
}
export type AuditService = ReturnType<typeof auditService>
