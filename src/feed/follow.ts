// Following the revocations of other nodes by their numbers, on a database that must stay the one it was.
import { eq, gt, max, sql } from 'drizzle-orm'
import { meta, nodes, revocations as table } from '../../db/schema'
import type { Orm } from '../ports'
import type { Revocations } from '../revocation'

type Deps = {
  revocations: Revocations
  /** Names this process among all nodes, and differs after a restart. */
  node: string
  /** Ends the process: what it knows is not true any more. */
  halt: (why: string) => void
}

/** What is asked of a database again and again, over the copy or the primary. */
export const newQueries = (orm: Orm) => ({
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
export type Queries = ReturnType<typeof newQueries>

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
export const createFollower = ({ revocations, halt, node }: Deps) => {
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
      cursor = Math.max(cursor, rows.at(-1)?.seq ?? 0)
      return seen
    },
  }
}

/** Whether the tables are gone, as in an empty database put in the place of ours. */
export const isEmptied = (error: unknown) => error instanceof Error && error.message.includes('no such table')

/** Runs `work` again and again, never beside itself: what comes meanwhile is one more run. */
export const oneAtATime = (work: () => Promise<void>) => {
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
