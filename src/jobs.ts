// Background work. Any number of nodes share it: a lease in the database says which of them does a job.
import { eq, sql } from 'drizzle-orm'
import { leases } from '../db/schema'
import type { Clock, Database, Log } from './ports'
import { builder, createUnaudited, statement } from './write'

export type Job = {
  name: string
  /** From the end of one run to the start of the next; a failing job waits longer and longer. */
  everyMs: number
  /** Runs on every node, without a lease: for what lies in this process's memory. */
  everywhere?: true
  /** One run may take long: its lease is renewed meanwhile, and `signal` aborts once that fails. */
  long?: true
  /**
   * One bounded piece of work. It ends early when `signal` aborts: at shutdown, or where the lease ends and another node
   * may begin. What it changes is conditional in SQL all the same, since a process may stand still between two steps.
   */
  run: (signal: AbortSignal) => Promise<unknown>
}

type Deps = {
  db: Database
  clock: Clock
  log: Log
  /** Names this process among all nodes, and differs after a restart. */
  holder: string
  /** How long a lease lasts, so how long a crash holds its jobs up; a run may count on half of it. */
  leaseMs?: number
}

type Entry = {
  job: Job
  timer?: ReturnType<typeof setTimeout>
  running?: Promise<void>
  again: boolean
  failures: number
}

const longestDelayMs = 60_000

const createLeases = ({ db, clock, holder, leaseMs = 60_000 }: Omit<Deps, 'log'>) => {
  const unaudited = createUnaudited(db)
  // What is to end later than this was written by a clock that ran ahead, and binds nobody.
  const longestMs = 2 * leaseMs
  // Our own leases end by the monotonic clock, timed from before the claim was sent.
  const ends = new Map<string, number>()
  const find = db.orm
    .select()
    .from(leases)
    .where(eq(leases.name, sql.placeholder('name')))
    .prepare()
  const claim = (name: string, now: number) =>
    statement(
      builder
        .insert(leases)
        .values({ name, holder, until: now + leaseMs })
        .onConflictDoUpdate({
          target: leases.name,
          set: { holder, until: now + leaseMs },
          setWhere: sql`${leases.holder} = ${holder} or ${leases.until} <= ${now} or ${leases.until} > ${now + longestMs}`,
        }),
    )
  const remove = (query: Parameters<typeof statement>[0]) =>
    unaudited('who does background work is no change', [statement(query)])

  const left = (name: string) => (ends.get(name) ?? 0) - clock.monotonic()

  return {
    leaseMs,
    /** How long the job is still ours, in ms, if nothing is done about it. */
    left,
    /** How long the job is ours from now, at least half a lease, in ms; 0 while it is another node's. */
    async take(name: string): Promise<number> {
      const [asked, ours] = [clock.monotonic(), left(name)]
      if (ours > leaseMs / 2) return ours
      const [now, row] = [clock.now(), await find.get({ name })]
      // Read before written: a node that waits for its turn costs the database no write.
      const another = row && row.holder !== holder && row.until > now && row.until <= now + longestMs
      const [taken] = another ? [] : await unaudited('who does background work is no change', [claim(name, now)])
      ends.set(name, taken?.changes === 1 ? asked + leaseMs : 0)
      return taken?.changes === 1 ? leaseMs : 0
    },
    /** Gives all back, so that another node need not wait for their end. */
    release: () => remove(builder.delete(leases).where(eq(leases.holder, holder))),
    /** Ends what a process before this one left, where no other can be at work. */
    clear: async () => void (db.sharing.kind === 'alone' && (await remove(builder.delete(leases)))),
  }
}

/** Runs `job` until it ends, its signal aborted after `leftMs` or with `stopping`. */
const runWithin = async (job: Job, leftMs: number, stopping: AbortSignal): Promise<void> => {
  const leaseEnd = new AbortController()
  const timer = leftMs < Number.POSITIVE_INFINITY ? setTimeout(() => leaseEnd.abort(), leftMs) : undefined
  try {
    await job.run(AbortSignal.any([stopping, leaseEnd.signal]))
  } finally {
    clearTimeout(timer)
  }
}

/** Runs `job` for as long as its lease can be had again, however long that is. */
const runHeld = async (job: Job, lease: ReturnType<typeof createLeases>, stopping: AbortSignal): Promise<void> => {
  const lost = new AbortController()
  const renew = async () => {
    if (stopping.aborted) return
    if ((await lease.take(job.name).catch(() => lease.left(job.name))) <= 0) lost.abort()
  }
  const timer = setInterval(renew, lease.leaseMs / 4)
  try {
    await job.run(AbortSignal.any([stopping, lost.signal]))
  } finally {
    clearInterval(timer)
  }
}

export const createJobs = ({ log, ...deps }: Deps) => {
  const lease = createLeases(deps)
  const entries = new Map<string, Entry>()
  const stopping = new AbortController()
  let started = false

  const entryOf = (name: string): Entry => {
    const entry = entries.get(name)
    if (!entry) throw new Error(`no such job: ${name}`)
    return entry
  }

  const work = async ({ job }: Entry): Promise<boolean> => {
    if (stopping.signal.aborted) return false
    const leftMs = job.everywhere ? Number.POSITIVE_INFINITY : await lease.take(job.name)
    if (leftMs > 0) await (job.long ? runHeld(job, lease, stopping.signal) : runWithin(job, leftMs, stopping.signal))
    return leftMs > 0
  }

  /** Whether it ran; after the run under way, never beside it. */
  const once = async (entry: Entry): Promise<boolean> => {
    while (entry.running) await entry.running
    const result = work(entry)
    const ended = () => void delete entry.running
    entry.running = result.then(ended, ended)
    return result
  }

  const schedule = (entry: Entry, delayMs: number) => {
    clearTimeout(entry.timer)
    if (!started) return
    entry.timer = setTimeout(() => tick(entry), delayMs)
    entry.timer.unref?.()
  }

  const tick = async (entry: Entry) => {
    delete entry.timer
    entry.again = false
    try {
      await once(entry)
      entry.failures = 0
    } catch (error) {
      entry.failures++
      log.error({ job: entry.job.name, failures: entry.failures, error }, 'job failed')
    }
    const waitMs = Math.min(entry.job.everyMs * 2 ** entry.failures, Math.max(longestDelayMs, entry.job.everyMs))
    schedule(entry, entry.again && entry.failures === 0 ? 0 : waitMs)
  }

  return {
    /** Before `start`. */
    add: (job: Job): void => void entries.set(job.name, { job, again: false, failures: 0 }),
    /** Begins with a run of each. */
    async start(): Promise<void> {
      await lease.clear().catch((error) => log.warn({ error }, 'leases are left to end by themselves'))
      started = true
      for (const entry of entries.values()) schedule(entry, 0)
    },
    /**
     * Tells the runs under way to be quick, waits for them until `patience` ends, and gives the leases back. Never fails.
     * A run that is still not over goes on by itself: what it changes is conditional in SQL.
     */
    async stop(patience?: Promise<unknown>): Promise<void> {
      started = false
      stopping.abort()
      for (const entry of entries.values()) clearTimeout(entry.timer)
      const ended = Promise.all([...entries.values()].map((entry) => entry.running))
      await (patience ? Promise.race([ended, patience]) : ended)
      await lease.release().catch((error) => log.warn({ error }, 'leases are left to end by themselves'))
    },
    /** One run now, after the one under way. False where another node holds the lease. @throws what the job throws */
    runNow: (name: string): Promise<boolean> => once(entryOf(name)),
    /** There is work: run soon. Many kicks are one run, and none hastens a failing job. */
    kick(name: string): void {
      const entry = entryOf(name)
      if (entry.timer === undefined) entry.again = true
      else if (entry.failures === 0) schedule(entry, 0)
    },
  }
}
