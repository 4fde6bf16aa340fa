// What has been taken away: an overlay in memory, fed by the revocations table. Counters decide, never clocks.
import { and, lt, max, sql } from 'drizzle-orm'
import { revocations as table } from '../db/schema'
import { Failure } from './errors'
import { createLru } from './lib/lru'
import type { Actor } from './permissions'
import type { Clock, Database, Hold, Orm, Row, Statement } from './ports'
import { builder, statement } from './write'

/** What a right hangs on: taking any of them away ends everything that was let in by it. */
export type Subject =
  | `session:${string}`
  | `user:${string}`
  | `key:${string}`
  | `workspace:${string}`
  | `member:${string}:${string}`
  | `media:${string}`
  | `link:${string}`

/**
 * A fact found valid, with what it hangs on. `expiresAt` is an instant (ms), Infinity for never. `isLack`: it says that
 * something is not there, which a copy may only not show yet.
 */
export type Held<T> = { value: T; subjects: readonly Subject[]; expiresAt: number; isLack?: boolean }

/** What the right of an actor hangs on. */
export const subjectsOf = ({ type, id, person, workspace }: Actor): Subject[] => [
  `workspace:${workspace.publicId}`,
  ...(type === 'key' ? [`key:${id}` as const] : [`user:${id}` as const, `member:${workspace.publicId}:${id}` as const]),
  ...(person ? [`session:${person.sessionId}` as const] : []),
]

/** Takes the subjects away in the batch it is written with; `write()` applies it here before it resolves. */
export const revoke = (at: number, ...subjects: Subject[]): Statement => ({
  ...statement(
    builder
      .insert(table)
      .values(subjects.map((subject) => ({ subject, createdAt: at })))
      .returning({ seq: table.seq, subject: table.subject }),
  ),
  revokes: true,
})

// More than this is forgotten, the oldest first; what was read before it is then read anew.
const maxSubjects = 100_000
const keptMs = 86_400_000

/**
 * Who says how far this node may lean on what it knows: `isTrusted`, on its copy and caches; `isLost`, it cannot know
 * anything and decides nothing. Both are asked at each request.
 */
export type Trust = { isTrusted(): boolean; isLost(): boolean }

export const createRevocations = (db: Database) => {
  const latest = new Map<string, number>()
  const watchers = new Map<string, Set<() => void>>()
  let position = 0
  let version = 0
  let floor = 0
  let trust: Trust = { isTrusted: () => true, isLost: () => false }
  const copy = db.sharing.kind === 'copy' ? db.sharing : null
  const newestOf = (orm: Orm) =>
    orm
      .select({ seq: max(table.seq) })
      .from(table)
      .prepare()
  const newest = newestOf(db.orm)
  const newestHere = copy ? newestOf(copy.orm) : newest

  const apply = (rows: readonly Row[]) => {
    const applied = rows as { seq: number; subject: string }[]
    for (const { seq, subject } of applied) {
      const seen = Math.max(seq, latest.get(subject) ?? 0)
      latest.delete(subject)
      latest.set(subject, seen)
      position = Math.max(position, seq)
    }
    for (const [subject, seq] of latest) {
      if (latest.size <= maxSubjects) break
      latest.delete(subject)
      floor = Math.max(floor, seq)
    }
    version++
    // Last: whoever watches looks at once whether it still stands, and must not be told so by what held before.
    for (const { subject } of applied) for (const end of [...(watchers.get(subject) ?? [])]) end()
  }

  const holds = (subjects: readonly Subject[], born: number) =>
    born >= floor && subjects.every((s) => (latest.get(s) ?? 0) <= born)

  return {
    apply,
    /** The newest revocation applied here. */
    position: () => position,
    /**
     * The newest revocation that reads on this node can see: the position a fact read after it is born at. Of a copy, what
     * the copy shows: the read may be answered by it even where this one would not be.
     */
    readable: async () => {
      const here = copy !== null && trust.isTrusted() && !copy.isAsking()
      return (await (here ? newestHere : newest).get())?.seq ?? 0
    },
    /** Whether what is not found here may yet be there: a copy runs after the primary. */
    isBehind: copy !== null,
    /** What `run` reads is read where it is known first. */
    asking: <T>(run: () => Promise<T>): Promise<T> => (copy ? copy.asking(run) : run()),
    /** Forgets what every node applied long ago; the newest stays, by which numbers are seen never to go back. */
    sweep: () =>
      db.batch([
        statement(
          builder
            .delete(table)
            .where(
              and(
                lt(table.createdAt, sql`unixepoch() * 1000 - ${keptMs}`),
                lt(table.seq, sql`(select max(seq) from ${table})`),
              ),
            ),
        ),
      ]),
    /** Counts what was applied: other nodes' revocations may come after later ones of our own. */
    version: () => version,
    /** Ends all that is under way, each thing unless it is found to stand: revocations may have been missed. */
    recheckAll: (): void => {
      for (const ends of [...watchers.values()]) for (const end of [...ends]) end()
    },
    /** Nothing that was read before `seq` holds: what came up to there is not known. */
    forgetBefore: (seq: number): void => {
      floor = Math.max(floor, seq)
      version++
    },
    trustAs: (judge: Trust): void => {
      trust = judge
    },
    isTrusted: () => trust.isTrusted(),
    isLost: () => trust.isLost(),
    /** Whether none of the subjects was taken away after position `born`. */
    holds,
    /**
     * A right that something under way hangs on, found valid at `version()` `since`. When one of the subjects is taken away
     * `still` says whether it stands all the same; if not, `signal` aborts. Whoever holds it must `release` it.
     */
    hold: (subjects: readonly Subject[], since: number, still: () => Promise<boolean>): Hold => {
      const gone = new AbortController()
      const end = () => gone.abort(new Failure('forbidden', 'The right to this was taken away'))
      const recheck = () => void still().then((stands) => stands || end(), end)
      for (const s of subjects) watchers.set(s, (watchers.get(s) ?? new Set()).add(recheck))
      if (version !== since) recheck()
      const release = () => {
        for (const s of subjects) {
          watchers.get(s)?.delete(recheck)
          if (watchers.get(s)?.size === 0) watchers.delete(s)
        }
      }
      return { signal: gone.signal, release }
    },
  }
}
export type Revocations = ReturnType<typeof createRevocations>

type Entry<T> = Held<T> & { born: number; checkedAt: number }

/**
 * A bounded cache of facts that revocation ends at once. `get` is synchronous and answers only what still holds;
 * `fill` reads anew. No negative entries, no stale answers: a fill that a revocation overtakes is thrown away.
 */
export const createHeldCache = <T>(revocations: Revocations, clock: Clock, maxEntries: number) => {
  const entries = createLru<string, Entry<T>>(maxEntries)

  const stillHolds = (entry: Entry<T>) => {
    const version = revocations.version()
    if (entry.checkedAt === version) return true
    if (!revocations.holds(entry.subjects, entry.born)) return false
    entry.checkedAt = version
    return true
  }

  const read = async (load: () => Promise<Held<T> | null>) => {
    const wasTrusted = revocations.isTrusted()
    const born = await revocations.readable()
    const held = await load()
    if (!held || clock.now() >= held.expiresAt) return null
    if (!revocations.holds(held.subjects, born)) return 'overtaken'
    return { held, born, mayKeep: wasTrusted && revocations.isTrusted() }
  }

  return {
    get: (key: string): T | undefined => {
      const entry = entries.get(key)
      if (!entry || !revocations.isTrusted()) return undefined
      if (stillHolds(entry) && clock.now() < entry.expiresAt) return entry.value
      entries.delete(key)
      return undefined
    },
    /**
     * `load` gives null for what is not valid. @throws Failure `unavailable` when revocations keep overtaking the read, or
     * this node cannot know.
     */
    fill: async (key: string, load: () => Promise<Held<T> | null>): Promise<T | null> => {
      if (revocations.isLost()) throw new Failure('unavailable')
      for (let tries = 0; tries < 4; tries++) {
        const isSure = tries > 0 || !revocations.isBehind
        const found = await (isSure ? revocations.asking(() => read(load)) : read(load))
        if (found === 'overtaken' || (!isSure && (found === null || found.held.isLack))) continue
        if (found?.mayKeep) entries.set(key, { ...found.held, born: found.born, checkedAt: revocations.version() })
        return found === null ? null : found.held.value
      }
      throw new Failure('unavailable')
    },
  }
}
export type HeldCache<T> = ReturnType<typeof createHeldCache<T>>
