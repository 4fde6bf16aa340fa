// What other nodes take away: their revocations applied here, how old that knowledge is, and what follows from its age.
import { and, eq, gt, lt, max, ne, sql } from 'drizzle-orm'
import { meta, nodes, revocations as table } from '../db/schema'
import type { Clock, Copy, Database, Hint, Log, Orm } from './ports'
import type { Revocations } from './revocation'
import { builder, createUnaudited, statement } from './write'

type Deps = {
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
  hint?: Hint | undefined
}

/** Older than this, what is known here decides nothing. */
const trustedMs = 5000
/** For what was decided in time and answered after. */
const marginMs = 1000
const everyMs = 1000
const reportEveryMs = 250
const confirmEveryMs = 50
const forgottenAfterMs = 86_400_000

const newQueries = (orm: Orm) => ({
  beat: orm
    .select({ beat: nodes.beat })
    .from(nodes)
    .where(eq(nodes.id, sql.placeholder('node')))
    .prepare(),
  after: orm
    .select({ seq: table.seq, subject: table.subject })
    .from(table)
    .where(gt(table.seq, sql.placeholder('seq')))
    .orderBy(table.seq)
    .prepare(),
  facts: orm.select().from(meta).prepare(),
  newest: orm
    .select({ seq: max(table.seq) })
    .from(table)
    .prepare(),
})
type Queries = ReturnType<typeof newQueries>

const report = (id: string, beat: number, applied: number, at: number) => {
  const upsert = builder.insert(nodes).values({ id, beat, applied, at })
  const set = { beat, applied, at }
  return statement(upsert.onConflictDoUpdate({ target: nodes.id, set, setWhere: sql`${nodes.beat} < ${beat}` }))
}

/** Stops a node whose database turns into another, or into an older state of itself. */
const createGuard = (halt: Deps['halt']) => {
  let known: string | undefined
  const newestOf = new Map<Queries, number>()
  return async (from: Queries, least: number): Promise<boolean> => {
    const facts = Object.fromEntries((await from.facts.all()).map(({ name, value }) => [name, value]))
    const newest = (await from.newest.get())?.seq ?? 0
    const history = `${facts.instance_id} ${facts.generation}`
    known ??= history
    if (known !== history) halt('The database is another instance or generation than before.')
    else if (newest < Math.max(least, newestOf.get(from) ?? 0)) halt('The database is in an older state than before.')
    else {
      newestOf.set(from, newest)
      return true
    }
    return false
  }
}

/** Reads what is new, in this order: whatever a report of ours is seen with has been applied once it counts. */
const createFollower = ({ revocations, halt, node }: Deps) => {
  const guard = createGuard(halt)
  let cursor = 0
  return {
    cursor: () => cursor,
    /** What was taken away before the start concerns nobody here: nothing has been read yet. */
    begin: async ({ newest }: Queries): Promise<void> => {
      cursor = (await newest.get())?.seq ?? 0
      revocations.apply([{ seq: cursor, subject: '' }])
    },
    /** The newest report of ours that shows there; null where the database has become another. */
    async pass(from: Queries, least = 0): Promise<number | null> {
      const seen = (await from.beat.get({ node }))?.beat ?? 0
      if (!(await guard(from, least))) return null
      const rows = await from.after.all({ seq: cursor })
      // Numbers follow one another: a gap is what was tidied away while this process stood still.
      if (rows[0] && rows[0].seq > cursor + 1) {
        revocations.forgetBefore(rows[0].seq)
        revocations.recheckAll()
      }
      if (rows.length > 0) revocations.apply(rows)
      cursor = rows.at(-1)?.seq ?? cursor
      return seen
    },
  }
}

/** Whether the tables are gone, as in an empty database put in the place of ours. */
const isEmptied = (error: unknown) => error instanceof Error && error.message.includes('no such table')

/** Runs `work` again and again, never beside itself: what comes meanwhile is one more run. */
const oneAtATime = (work: () => Promise<void>) => {
  let running = false
  let again = false
  return async (): Promise<void> => {
    again = true
    if (running) return
    running = true
    while (again) {
      again = false
      await work().catch(() => {})
    }
    running = false
  }
}

/** The feed of a node that reads a copy. */
const createCopyFeed = (deps: Deps, copy: Copy) => {
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
    if (reachable !== (failure === null)) log.warn({ error: failure }, `the primary is ${failure ? 'away' : 'back'}`)
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

  // While the copy stands still the primary itself says what was taken away, so that streams end in time.
  const ask = oneAtATime(async () => {
    const least = revocations.position()
    await follower.pass(fromPrimary, least).catch((error: unknown) => {
      if (isEmptied(error)) halt('The database is empty.')
      else revocations.recheckAll()
    })
  })

  return {
    ...{ isTrusted, isLost, age },
    begin: async () => {
      copy.askUnless(isTrusted)
      await follower.begin(fromCopy)
    },
    look: async () => {
      await look()
      const waits = follower.cursor() > reported && clock.monotonic() - lastSent >= reportEveryMs
      if (waits) await send()
    },
    tick: () => {
      void send()
      void look()
      if (!isTrusted() && seen > 0) void ask()
    },
    leave: () => unaudited('a node ends', [statement(builder.delete(nodes).where(eq(nodes.id, node)))]),
  }
}

/** The feed of a node that asks the primary each time: it keeps nothing, and only streams must be told. */
const createPrimaryFeed = (deps: Deps) => {
  const queries = newQueries(deps.db.orm)
  const follower = createFollower(deps)
  const look = oneAtATime(async () => {
    await follower.pass(queries, deps.revocations.position()).catch(() => deps.revocations.recheckAll())
  })
  return {
    ...{ isTrusted: () => false, isLost: () => false, age: () => 0, look, tick: () => void look() },
    begin: () => follower.begin(queries),
    leave: async () => {},
  }
}

const createReceipts = ({ db, clock, revocations, node, staleMs }: Deps) => {
  const behind = db.orm
    .select({ id: nodes.id })
    .from(nodes)
    .where(and(ne(nodes.id, node), lt(nodes.applied, sql.placeholder('seq'))))
    .limit(1)
    .prepare()
  const boundMs = trustedMs + staleMs
  /**
   * The longest that another node may still take what was just taken away here, and whether all have it. `fence` waits
   * until they have, or until those that have not serve nobody by what they know.
   */
  return async (fence: boolean): Promise<{ boundMs: number; confirmed: boolean }> => {
    if (db.sharing.kind === 'alone') return { boundMs: 0, confirmed: true }
    const [seq, over] = [revocations.position(), clock.monotonic() + boundMs + marginMs]
    for (;;) {
      const isBehind = await behind.get({ seq }).then(
        (row) => row !== undefined,
        () => true,
      )
      if (!isBehind || clock.monotonic() >= over) return { boundMs, confirmed: true }
      if (!fence) return { boundMs, confirmed: false }
      await clock.sleep(confirmEveryMs)
    }
  }
}

export const createFeed = (deps: Deps) => {
  const { sharing } = deps.db
  const otherNodes = createReceipts(deps)
  if (sharing.kind === 'alone') return { otherNodes, start: async () => {}, stop: async () => {}, node: null }

  const feed = sharing.kind === 'copy' ? createCopyFeed(deps, sharing) : createPrimaryFeed(deps)
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    otherNodes,
    /** Before the first request. */
    start: async (): Promise<void> => {
      deps.revocations.trustAs(feed)
      await feed.begin()
      if (sharing.kind === 'copy') {
        sharing.onAdvance(() => void feed.look())
        deps.hint?.onTold(sharing.pull)
      } else deps.hint?.onTold(() => void feed.look())
      timer = setInterval(feed.tick, everyMs)
      feed.tick()
    },
    /** Once nobody is served any more: others need not wait for this node. */
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await feed.leave().catch(() => {})
    },
    /** How the node knows what others take away; `age` in ms. */
    node: { age: feed.age, isTrusted: () => sharing.kind === 'primary' || (feed.isTrusted() && !feed.isLost()) },
  }
}
export type Feed = ReturnType<typeof createFeed>
