// Everything the program needs from outside, as types. Implementations are in adapters/; nothing here runs.
import type { LibSQLDatabase } from 'drizzle-orm/libsql'
import type { Failure } from './errors'
import type { Grant, Rate } from './lib/gcra'

/** `now`: instant in ms since 1970 UTC, may jump. `monotonic`: ms since some start, never goes back. */
export type Clock = { now(): number; monotonic(): number; sleep(ms: number): Promise<void> }

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** A request as the log tells it: ids and patterns, nothing that the caller wrote. `at`: ms since 1970; `ms`: how long it took. */
export type FinishedRequest = Readonly<{
  at: number
  requestId: string
  method: string
  /** The pattern of its route; never the path as sent. */
  route: string
  status: number
  ms: number
  workspace: string | null
}>

/** Structured log. Fields are scrubbed of key and secret shapes; never pass a request body. */
export type Log = {
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
  /** One finished request. Buffered, so that it costs the request next to nothing; `urgent` is written at once. */
  request(done: FinishedRequest, urgent: boolean): void
  /** Writes out what is buffered. */
  flush(): void
}

/** What a session token says. `sec` is random, its SHA-256 stands in the session's row; `expiresAt` is an instant (ms). */
export type SessionClaims = { sid: string; sub: string; sec: string; expiresAt: number }
export type Tokens = {
  /** Signs with the current key, named by `kid`. The end is cut to a whole second. */
  sign(claims: SessionClaims): Promise<{ token: string; kid: string }>
  /** What one of our own tokens says, in its one spelling and before its end (`now`, ms); null for anything else. */
  verify(token: string, now: number): Promise<SessionClaims | null>
}

/**
 * Tells people from programs. `use` is what an answer is good for and nothing else: a keyed hash of purpose and mailbox.
 * Instants are ms.
 */
export type HumanCheck = {
  /** A fresh challenge, as callers get it. */
  ask(use: string, now: number): Promise<Record<string, unknown>>
  /** Id under which a right answer is spent, and when it ends by itself; null for a wrong one. @throws Failure `unavailable` */
  judge(answer: string, use: string, now: number): Promise<{ id: string; expiresAt: number } | null>
}

export type Mail = { messageId: string; to: string; subject: string; text: string; html: string }
/**
 * Hands one mail over. Resolves once the next hop has taken it; rejects if it has not, and then it may be sent again; either
 * within 30 s, half of the lease that the outbox holds on it. A failure's text names neither addresses nor content.
 */
export type Mailer = { send(mail: Mail): Promise<void>; check(): Promise<void>; close(): Promise<void> }

/** Text without NUL; numbers finite, and exact when whole. Anything else is refused, never altered. */
export type Value = string | number | null | Uint8Array
export type Row = Record<string, Value>
/** What a batch step gave: its RETURNING rows and how many rows it changed. */
export type Outcome = { rows: Row[]; changes: number }

/** A change that does nothing until a batch sends it. */
export type Statement = {
  sql: string
  args: readonly Value[]
  /** Raised when this statement makes the batch fail by a constraint: the whole batch is undone. */
  orElse?: Failure
  /** Its RETURNING rows are `{ seq, subject }` of the revocations table: `write()` applies them to the overlay. */
  revokes?: true
  /** Why this statement may touch tenant tables without binding a workspace; must stand in `test/tenant-guard.lock.json`. */
  acrossTenants?: string
}

/** What drizzle offers for reading. Rows come by column: the raw `all` and `get` of drizzle, which read by name, are left out. */
export type Orm = Pick<LibSQLDatabase<Record<string, never>>, 'select' | 'selectDistinct' | '$with' | 'with' | 'values'>

/** A database whose reads come from a copy that runs after the primary. */
export type Copy = {
  kind: 'copy'
  /** Reads the copy and nothing else, however old it is. */
  orm: Orm
  /** From now on reads ask the primary, for at most 500 ms, whenever `isTrusted` says no. */
  askUnless(isTrusted: () => boolean): void
  /** What `run` reads meanwhile it reads from the primary. */
  asking<T>(run: () => Promise<T>): Promise<T>
  isAsking(): boolean
  /** Fetch what is new at once. */
  pull(): void
  onAdvance(listener: () => void): void
  /** Differs from moment to moment as long as what fetches is at work: it answers, fails, or writes. */
  progress(): string
}
/** `alone`: this process is the only one. `primary`: there may be others, and each read asks the primary. */
export type Sharing = { kind: 'alone' } | { kind: 'primary' } | Copy

/** Tells other nodes that there is something to fetch. Messages may get lost, and never make anybody wait. */
export type Hint = { tell(): void; onTold(listener: () => void): void }

/**
 * One database: reads through drizzle on a cached, read-only connection, writes as one batch.
 * Held to one contract suite (`test/contract/database.ts`) on each adapter.
 */
export type Database = {
  /** Reads. A statement that touches a tenant table without binding its `workspace_id` is refused. */
  orm: Orm
  /** How reads here relate to what other nodes write. */
  sharing: Sharing
  /** Hands `fn` a reader free of the tenant guard; `why` must be a literal that stands in the lock file. */
  acrossTenants<T>(why: string, fn: (orm: Orm) => T): T
  /**
   * All statements or none, in order, as one transaction; durable once resolved, and seen by the next read here.
   * Only changes: a read goes through `orm`. `whenMade` is called as soon as it is durable; on a copy it shows later.
   * @throws the failing statement's `orElse`, or Failure `conflict` (constraint), `unavailable` (out of reach), `disk_full`,
   * `invalid` (text with NUL).
   */
  batch(statements: readonly Statement[], whenMade?: () => void): Promise<Outcome[]>
  /** Resolves if the database answers a read and takes a write, which it is given. @throws as `batch` does */
  check(): Promise<void>
  close(): Promise<void>
}

/** A right that something under way hangs on: it breaks off when `signal` aborts, and calls `release` however it ends. */
export type Hold = { signal: AbortSignal; release(): void }

export type ByteRange = { start: number; end: number }

/** An object being written: nobody can read it before `publish`, and what `save` gave outlives the process. */
export type StagedBlob = {
  /** What was resumed has been published since: it takes no more bytes. */
  isPublished?: true
  /** Resolves when the bytes have been taken, which is the back-pressure. */
  write(chunk: Uint8Array): Promise<void>
  /** Makes what was written durable. Gives what `resume` goes on from: a text of the store's own, at most 100 KiB. */
  save(): Promise<string>
  /** Makes it durable and readable under its key, at once and whole. */
  publish(): Promise<void>
  /** Lets go of it, keeping what was saved. Safe to call however it ended. */
  pause(): Promise<void>
  /** Forgets it. Safe to call twice, and after `publish`, when it does nothing. */
  discard(): Promise<void>
}

export type BlobBody = Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>

/**
 * A body that `fill` writes into while it is read: `write` has copied the bytes when it returns, resolves once there is
 * room for more, and rejects when the reader has gone. What `fill` throws breaks the body off.
 */
export type Pour = (fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>) => ReadableStream<Uint8Array>

/** Immutable objects under random keys. */
export type Blobs = {
  /** `expectedBytes`: what is likely to come, if known. @throws Failure `disk_full` when the store has no room. */
  stage(key: string, expectedBytes: number | null): Promise<StagedBlob>
  /**
   * Goes on from what `save` gave; what was written after it is dropped. Of what has been published since, `publish` and
   * `discard` do nothing. @throws Failure `not_found` when nothing of it is left.
   */
  resume(key: string, saved: string): Promise<StagedBlob>
  /**
   * Bytes `start..end` (end exclusive) of an object of `size` bytes, never buffered whole: themselves where they are
   * few, a Blob where the system may send them by itself, else a stream, pulled as it is read, that holds its right.
   * @throws Failure `not_found` when there is no object of that size under the key.
   */
  open(key: string, size: number, range: ByteRange, hold: () => Hold): Promise<BlobBody>
  /**
   * Bytes of a range of an object that is there, in memory of the caller's own. Absent where each call takes long: then
   * `open` is asked for all of it in one go.
   */
  read?(key: string, range: ByteRange): Promise<Uint8Array<ArrayBuffer>>
  /** Safe to call for what is not there. */
  remove(key: string): Promise<void>
  /** Keys of what was published before the instant `before` (ms). */
  list(before: number): AsyncIterable<string>
  /** Forgets what was staged, and last written before the instant `before` (ms), until `signal` aborts. Gives how many. */
  discardStaged(before: number, signal?: AbortSignal): Promise<number>
  /** Whose the objects are, as `setOwner` was told last; null where it never was. */
  owner(): Promise<string | null>
  setOwner(owner: string): Promise<void>
  /** Resolves if the store answers and, as far as it tells, takes an upload. @throws Failure `disk_full`, or what else is wrong */
  check(): Promise<void>
}

/** Whole backups where the settings keep them, of whichever instance; `at` is an instant in ms. */
export type Backups = {
  list(): Promise<{ name: string; instance: string; generation: number; at: number }[]>
  /** Makes one of this instance, and removes those beyond what is kept. @throws Error, as a sentence; what `signal` aborts with */
  make(signal: AbortSignal): Promise<void>
}

/**
 * Counts one against `key`, unless it is refused. Never fails: while what nodes share is out of reach, `isAway`, each
 * counts in its memory. `at`: when it was asked, in ms of the monotonic clock; now unless said.
 */
export type Limiter =
  | { isLocal: true; take(key: string, rate: Rate, at?: number): Grant }
  | { isLocal: false; take(key: string, rate: Rate): Promise<Grant>; isAway(): boolean }
