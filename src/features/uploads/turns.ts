// One at a time writes to an upload: on a node the newer request ends the one before it, another node waits for a lease.
import { Failure, isFailure } from '../../errors'
import { randomBase62 } from '../../lib/id'
import type { Clock, Database } from '../../ports'
import type { Unaudited } from '../../write'
import { type Durable, leaseEnd, type UploadRow, type UploadStore } from './store'

/** How long an upload lasts after its last bytes. */
export const uploadMs = 24 * 3_600_000
// Short, so that clients are still trying when the lease of a killed node ends.
const leaseMs = 8000
const renewMs = 2500
const marginMs = 1000

/** The right to write to an upload, and where it stood when that was taken. */
export type Turn = {
  lease: string
  at: Durable & Pick<UploadRow, 'mediaId'>
  /** Aborts where another request takes over, or the lease cannot be kept. */
  signal: AbortSignal
  /** @throws Failure `locked` when another node may be writing by now. */
  assertHeld(): void
  /** Notes what is durable. */
  save(durable: Durable): Promise<void>
  /** Whoever asks where the upload stands waits for this. */
  onAsk(settle: () => Promise<void>): void
  end(): Promise<void>
}
type Held = { stop: (why: Failure) => void; settle: () => Promise<void>; ended: Promise<void> }

const why = 'where an upload stands is no change'
const locked = () =>
  new Failure('locked', 'Another request is writing to this upload', { headers: { 'retry-after': '2' } })

type Deps = { db: Database; clock: Clock; unaudited: Unaudited; store: UploadStore }

export const createTurns = ({ db, clock, unaudited, store }: Deps) => {
  const here = new Map<string, Held>()
  // Nobody else can be writing then: what was left by a process before this one is over.
  const isAlone = db.sharing.kind === 'alone'
  const until = isAlone ? 0 : leaseEnd(leaseMs)

  const claim = async (row: UploadRow, lease: string): Promise<Turn['at']> => {
    const [outcome] = await unaudited(why, [store.claim(row, lease, until)])
    const found = outcome?.rows[0] as (Durable & { media_id: string | null }) | undefined
    if (!found) throw locked()
    const { offset, blob, saved, media_id: mediaId } = found
    return { offset, blob, saved, mediaId }
  }

  const begin = async (row: UploadRow, lease: string, gone: AbortController, held: Held): Promise<Turn> => {
    let ends = clock.monotonic() + leaseMs
    const at = await claim(row, lease)
    const keep = async (statement: ReturnType<UploadStore['keep']>) => {
      const asked = clock.monotonic()
      const [outcome] = await unaudited(why, [statement])
      if (outcome?.changes !== 1) throw locked()
      ends = asked + leaseMs
    }
    const renew = () => keep(store.keep(row, lease, until))
    const lose = (error: unknown) => isFailure(error, 'locked') && gone.abort(error)
    const timer = isAlone ? undefined : setInterval(() => void renew().catch(lose), renewMs)
    return {
      lease,
      at,
      signal: gone.signal,
      assertHeld() {
        if (!isAlone && clock.monotonic() > ends - marginMs) throw locked()
      },
      save: (durable) => keep(store.save(row, lease, durable, until, clock.now() + uploadMs)),
      onAsk(settle) {
        held.settle = settle
      },
      async end() {
        clearInterval(timer)
        await unaudited(why, [store.release(row, lease)])
      },
    }
  }

  return {
    /** Whether a request on this node writes to it, or is about to. */
    isWriting: (id: string): boolean => here.has(id),

    /** Waits until whoever writes to it here has put down what came. Gives whether somebody does. */
    async settle(id: string): Promise<boolean> {
      const held = here.get(id)
      await held?.settle()
      return held !== undefined
    },

    /** Ends whoever writes on this node, and waits until what came to them is durable. */
    async stop(): Promise<void> {
      for (const { stop } of here.values()) stop(new Failure('unavailable'))
      await Promise.all([...here.values()].map(({ ended }) => ended))
    },

    /**
     * Ends whoever else writes to it on this node, waits until what came to them is durable, and runs `work`.
     * @throws Failure `locked` while another node writes to it; what `work` throws.
     */
    async take<T>(row: UploadRow, work: (turn: Turn) => Promise<T>): Promise<T> {
      for (let former = here.get(row.id); former; former = here.get(row.id)) {
        former.stop(locked())
        await former.ended
      }
      const [gone, { promise: ended, resolve }] = [new AbortController(), Promise.withResolvers<void>()]
      const held: Held = { stop: (reason) => gone.abort(reason), settle: async () => {}, ended }
      here.set(row.id, held)
      let turn: Turn | undefined
      try {
        turn = await begin(row, randomBase62(16), gone, held)
        return await work(turn)
      } finally {
        await turn?.end().catch(() => {})
        here.delete(row.id)
        resolve()
      }
    },
  }
}
export type Turns = ReturnType<typeof createTurns>
