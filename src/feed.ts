// What other nodes take away: how this one comes to know it, how long it may lean on that, and when all of them know.
import { and, lt, ne, sql } from 'drizzle-orm'
import { nodes } from '../db/schema'
import { createCopyFeed, type FeedDeps, trustedMs } from './feed/copy'
import { createFollower, newQueries, oneAtATime } from './feed/follow'
import type { Hint } from './ports'

/** For what was decided in time and answered after. */
const marginMs = 1000
const everyMs = 1000
const confirmEveryMs = 50

type Deps = FeedDeps & { hint?: Hint | undefined }

/** The feed of a node that asks the primary each time: it keeps nothing, and only streams must be told. */
const createPrimaryFeed = (deps: Deps) => {
  const queries = newQueries(deps.db.orm)
  const follower = createFollower(deps)
  const look = oneAtATime(async () => {
    await follower.pass(queries, deps.revocations.position()).catch(() => deps.revocations.recheckAll())
  })
  return {
    ...{ isTrusted: () => false, isLost: () => false, age: () => 0, look },
    ...{ told: () => void look(), tick: () => void look(), hear: async () => {} },
    begin: () => follower.begin(queries),
    leave: async () => {},
  }
}

const createOtherNodes = ({ db, clock, revocations, node, staleMs }: Deps) => {
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
  const otherNodes = createOtherNodes(deps)
  const nothing = async () => {}
  if (sharing.kind === 'alone') return { otherNodes, hear: nothing, start: nothing, stop: nothing, node: null }

  const feed = sharing.kind === 'copy' ? createCopyFeed(deps, sharing) : createPrimaryFeed(deps)
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    otherNodes,
    /** Asks the primary what was taken away, where this node would hear of it later. */
    hear: feed.hear,
    /** Before the first request. */
    start: async (): Promise<void> => {
      deps.revocations.trustAs(feed)
      await feed.begin()
      if (sharing.kind === 'copy') sharing.onAdvance(() => void feed.look())
      deps.hint?.onTold(feed.told)
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
