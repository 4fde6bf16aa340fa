// Commits to a local file: batches that wait at the same time as one transaction, synced beside the event loop, which a
// slow disk would otherwise hold up at each of them.
import type Libsql from 'libsql'
import { Failure } from '../errors'
import type { Outcome, Statement } from '../ports'
import { refused } from './database-errors'

type Waiting = {
  statements: readonly Statement[]
  resolve: (outcomes: Outcome[]) => void
  reject: (error: unknown) => void
}

/**
 * Each batch is done whole or not at all, and settled once `sync` has brought the group's transaction to the disk. What
 * comes meanwhile waits, and is the next group. Where a sync fails nobody knows what is on the disk: `halt` is
 * told why, and from then on all fails with `unavailable`.
 */
export const createGroups = (
  connection: Libsql.Database,
  run: (statement: Statement) => Outcome,
  sync: () => Promise<void>,
  halt: (why: string) => void,
) => {
  const waiting: Waiting[] = []
  let syncing: Promise<void> | null = null
  let lost = false
  let ended = false

  // BEGIN goes by exec: as a statement of its own it stays open after SQLITE_BUSY, and no later COMMIT would succeed
  // (the stock client: libsql-client-ts#352).
  const inTransaction = <T>(work: () => T): T => {
    try {
      connection.exec('begin immediate')
      const result = work()
      connection.exec('commit')
      return result
    } catch (error) {
      if (connection.inTransaction) connection.exec('rollback')
      throw error
    }
  }

  /** Runs one batch within the transaction of its group, or leaves nothing of it there; gives how to settle it. */
  const attempt = ({ statements, resolve, reject }: Waiting): (() => void) => {
    let step: number | undefined
    try {
      connection.exec('savepoint batch')
      const outcomes = statements.map((statement, i) => {
        step = i
        return run(statement)
      })
      connection.exec('release batch')
      return () => resolve(outcomes)
    } catch (error) {
      // A full disk may have ended the transaction, and with it all of the group.
      if (!connection.inTransaction) throw error
      connection.exec('rollback to batch; release batch')
      return () => reject(refused(error, statements, step))
    }
  }

  const rejectAll = (group: readonly Waiting[], error: unknown) => {
    for (const { reject } of group) reject(error)
  }

  const toDisk = async (group: readonly Waiting[], settles: readonly (() => void)[]) => {
    try {
      await sync()
    } catch (error) {
      lost = true
      const failure = new Failure('unavailable', undefined, { cause: error })
      rejectAll([...group, ...waiting.splice(0)], failure)
      halt(`The disk failed to keep what was written (${(error as { code?: string }).code ?? 'unknown'}).`)
      throw failure
    }
    syncing = null
    for (const settle of settles) settle()
    if (waiting.length > 0) setImmediate(flush)
  }

  const flush = (): void => {
    if (waiting.length === 0 || syncing) return
    const group = waiting.splice(0)
    try {
      const settles = inTransaction(() => group.map(attempt))
      syncing = toDisk(group, settles)
      syncing.catch(() => {})
    } catch (error) {
      rejectAll(group, refused(error))
    }
  }

  return {
    add: (batch: Waiting): void => {
      if (lost || ended) throw new Failure('unavailable')
      waiting.push(batch)
      if (waiting.length === 1 && !syncing) setImmediate(flush)
    },
    /** Resolves once what can be read by now is on the disk; null where it is. */
    written: (): Promise<void> | null => syncing,
    /** Does what still waits, and takes no more: nothing may be asked of a connection that is closed after it. */
    end: async (): Promise<void> => {
      ended = true
      while (!lost && (waiting.length > 0 || syncing)) {
        flush()
        await syncing?.catch(() => {})
      }
    },
  }
}
