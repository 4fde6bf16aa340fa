// The audit: read and exported under audit, sealed into chains, and verified.
import type { Keyring } from '../../keyring'
import { createSigner } from '../../lib/ed25519'
import { type Page, paginate } from '../../lib/page'
import { streamOf } from '../../lib/stream'
import type { Actor, Judge, Person } from '../../permissions'
import type { Clock, Database, Log } from '../../ports'
import { type Revocations, subjectsOf } from '../../revocation'
import { assertFresh } from '../../step-up'
import type { Unaudited, Write } from '../../write'
import { allChains, chainOf, type Mark } from './chain'
import type { AuditEvent, AuditQuery, Breach, ExportHead, ExportQuery, Verification } from './model'
import { exportForms, presentEvent, presentMark } from './present'
import { createSealer } from './sealer'
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
}

const readingMs = 10 * 60_000
const exportRows = 500
const ownEvents = 1000

export const auditService = ({ db, write, unaudited, clock, keyring, log, revocations }: Deps) => {
  const store = auditStore(db)

  const signerOf = ({ kid }: MarkRow) => {
    const seed = keyring.find('audit-sign', kid)
    return seed && createSigner(seed)
  }
  const verifier = createVerifier({
    store,
    isSigned: (text, mark) => signerOf(mark)?.verify(text, mark.signature) ?? false,
    pause: () => clock.sleep(0),
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

  /** Leaves one row for all that an actor reads in ten minutes, before the first of it is shown. */
  const noteReading = async (actor: Actor): Promise<void> => {
    const [chain, action] = [chainOf(actor.workspace.id), 'audit.read']
    if (await store.hasEvent(chain, action, actor.id, clock.now() - readingMs)) return
    await write(actor, { action, targets: [actor.workspace.publicId] }, [])
  }

  /** The sealed rows of a chain up to a position, as lines, while the right to them lasts. */
  async function* linesOf(chain: string, to: number, line: (event: AuditEvent) => string, right: AbortSignal) {
    let after = (await store.checkpoint(chain))?.position ?? 0
    while (after < to) {
      right.throwIfAborted()
      const rows = (await store.sealed(chain, after, exportRows)).filter((row) => (row.position ?? 0) <= to)
      if (rows.length === 0) return
      after = rows.at(-1)?.position ?? to
      yield rows.map((row) => line(presentEvent(row))).join('')
    }
  }

  return {
    /** The newest of what a person did to their own account, or had done to it. */
    async ofPerson({ id }: Person): Promise<AuditEvent[]> {
      const all = { action: null, actor: null, target: null, from: 0, to: Number.MAX_SAFE_INTEGER }
      return (await store.list(`user:${id}`, all, ownEvents, null)).map(presentEvent)
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
      return { ...found, data: found.data.map(presentEvent) }
    },

    /**
     * All that is sealed of the actor's workspace, oldest first, once it is opened and as it is read: JSONL, which can be
     * verified offline, or CSV. Ends with an error when the right to it is taken away. @throws `step_up_required`
     */
    export(actor: Actor, judge: Judge, { format }: ExportQuery) {
      assertFresh(actor.person, clock.now())
      const [chain, form, since] = [chainOf(actor.workspace.id), exportForms[format], revocations.version()]
      const still = async () => (await judge(actor.workspace.publicId))?.permissions.has('audit:export') ?? false
      const open = async (): Promise<ReadableStream<Uint8Array>> => {
        await write(actor, { action: 'audit.exported', targets: [actor.workspace.publicId], change: { format } }, [])
        const head = await store.head(chain)
        const marks: ExportHead = {
          ...{ latchkey_audit: 1, workspace: actor.workspace.publicId },
          ...{ checkpoint: present('checkpoint', await store.checkpoint(chain)), head: present('head', head) },
        }
        // Held from the first read on: what is never read holds nothing.
        const bytes = async function* () {
          const right = revocations.hold(subjectsOf(actor), since, still)
          const text = new TextEncoder()
          try {
            yield text.encode(form.begin(marks))
            for await (const lines of linesOf(chain, head?.position ?? 0, form.line, right.signal))
              yield text.encode(lines)
          } finally {
            right.release()
          }
        }
        return streamOf(bytes())
      }
      return { type: form.type, name: `audit.${format}`, open }
    },

    /** Of the keys that sign heads and checkpoints, the newest first. */
    publicKeys: (): string[] => keyring.all('audit-sign').map(({ key }) => createSigner(key).publicKey),
    seal,
    prune,
    publish,
    verify,
    /** As `verify` for every chain there is: how many, and which of them do not hold. For the operator. */
    async verifyAll(
      published: readonly Mark[] = [],
    ): Promise<{ chains: number; broken: ({ chain: string } & Breach)[] }> {
      const chains = await store.chains()
      const found: [string, Breach | null][] = [[allChains, await verifier.verifyAbsence()]]
      for (const chain of chains) found.push([chain, (await verifier.findBreach(chain, published))[1]])
      return { chains: chains.length, broken: found.flatMap(([chain, it]) => (it ? [{ chain, ...it }] : [])) }
    },
    verifyWorkspace: (actor: Actor): Promise<Verification> => verify(chainOf(actor.workspace.id)),
  }
}
export type AuditService = ReturnType<typeof auditService>
