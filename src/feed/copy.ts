// The feed of a node that reads a copy: heartbeats sent to the primary and seen through the copy say how old it is.
import { eq, lt, sql } from 'drizzle-orm'
import { nodes } from '../../db/schema'
import type { Clock, Copy, Database, Log } from '../ports'
import type { Revocations } from '../revocation'
import { builder, createUnaudited, statement } from '../write'
import { createFollower, isEmptied, newQueries, oneAtATime } from './follow'

/** Older than this, what is known here decides nothing. */
export const trustedMs = 5000
const reportEveryMs = 250
const hearEveryMs = 100
const forgottenAfterMs = 86_400_000
const hangsAfterMs = 60_000
const hangsAfterLooks = 10

export type FeedDeps = {
  db: Database
  clock: Clock
  log: Log
  revocations: Revocations
  /** Names this process among all nodes, and differs after a restart. */
  node: string
  /** How much longer than usual it may serve from its copy while the primary is out of reach. */
  staleMs: number
  /** Ends the process: what it knows is not true any more. */
  halt: (why: string) => void
}

const report = (id: string, beat: number, applied: number, at: number) => {
  const upsert = builder.insert(nodes).values({ id, beat, applied, at })
  const set = { beat, applied, at }
  return statement(upsert.onConflictDoUpdate({ target: nodes.id, set, setWhere: sql`${nodes.beat} < ${beat}` }))
}

/**
 * Whether the copy stands still for a minute while the primary answers: what fetches hangs, as on a connection that was
 * lost without a word. Nothing but the end of the process ends that: two that fetch spoil the copy.
 */
const createHangs = (clock: Clock, copy: Copy) => {
  let [last, since, looks] = ['', clock.monotonic(), 0]
  return (isReachable: boolean): boolean => {
    const progress = copy.progress()
    // Counted as well: after this process stood still itself, there may be news that has not been taken in.
    if (progress === last && isReachable) looks++
    else [last, since, looks] = [progress, clock.monotonic(), 0]
    return looks >= hangsAfterLooks && clock.monotonic() - since >= hangsAfterMs
  }
}

/** The feed of a node that reads a copy. */
export const createCopyFeed = (deps: FeedDeps, copy: Copy) => {
  const { db, clock, log, revocations, node, staleMs } = deps
  const unaudited = createUnaudited(db)
  const [fromCopy, fromPrimary] = [newQueries(copy.orm), newQueries(db.orm)]
  let halted = false
  const halt = (why: string) => {
    halted = true
    deps.halt(why)
  }
  const follower = createFollower({ ...deps, halt })
  const sentAt = new Map<number, number>()
  let [sent, seen, reported, lastSent] = [0, 0, 0, Number.NEGATIVE_INFINITY]
  let knownAt = Number.NEGATIVE_INFINITY
  let reachable = true

  const hangs = createHangs(clock, copy)
  const age = () => clock.monotonic() - knownAt
  const isLost = () => halted || seen === 0
  const isTrusted = () => !halted && (age() <= trustedMs || (!reachable && age() <= trustedMs + staleMs))

  const send = async () => {
    const [beat, applied] = [++sent, follower.cursor()]
    lastSent = clock.monotonic()
    sentAt.set(beat, lastSent)
    reported = applied
    const old = statement(builder.delete(nodes).where(lt(nodes.at, clock.now() - forgottenAfterMs)))
    const failure = await unaudited('a node says that it lives', [report(node, beat, applied, clock.now()), old]).then(
      () => null,
      (error: unknown) => error,
    )
    if (failure !== null && reachable) log.warn({ error: failure }, 'the primary is away')
    if (failure === null && !reachable) log.info({}, 'the primary is back')
    reachable = failure === null
  }

  const look = oneAtATime(async () => {
    const beat = await follower.pass(fromCopy).catch((error: unknown) => {
      if (isEmptied(error)) halt('The database is empty.')
      throw error
    })
    if (beat === null || beat <= seen) return
    seen = beat
    knownAt = sentAt.get(beat) ?? knownAt
    for (const n of sentAt.keys()) if (n <= beat) sentAt.delete(n)
  })

  // The primary says what was taken away sooner than the copy shows it, which waits for disks. The copy says it again.
  let heard = 0
  let listening: ReturnType<typeof setInterval> | undefined
  const hear = async () => {
    const seq = Math.max(heard, follower.cursor())
    const rows = await copy.asking(() => fromPrimary.after.all({ seq }))
    if (rows.length > 0) revocations.apply(rows)
    heard = Math.max(heard, rows.at(-1)?.seq ?? seq)
  }
  const hearSoon = oneAtATime(hear)

  // While the copy stands still the primary itself says what was taken away, so that streams end in time.
  const ask = oneAtATime(async () => {
    const least = revocations.position()
    await follower.pass(fromPrimary, least).catch((error: unknown) => {
      if (isEmptied(error)) halt('The database is empty.')
      else revocations.recheckAll()
    })
  })

  return {
    ...{ isTrusted, isLost, age, hear },
    begin: async () => {
      copy.askUnless(isTrusted)
      await follower.begin(fromCopy)
      listening = setInterval(() => void hearSoon(), hearEveryMs)
    },
    look: async () => {
      await look()
      const waits = follower.cursor() > reported && clock.monotonic() - lastSent >= reportEveryMs
      if (waits) await send()
    },
    told: () => {
      copy.pull()
      void hearSoon()
    },
    tick: () => {
      if (hangs(reachable)) halt('What fetches the copy hangs, though the primary answers: only a new start ends that.')
      void send()
      void look()
      if (!isTrusted() && seen > 0) void ask()
    },
    leave: () => {
      clearInterval(listening)
      return unaudited('a node ends', [statement(builder.delete(nodes).where(eq(nodes.id, node)))])
    },
  }
}
