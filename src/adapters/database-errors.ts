// What a database says when it fails, as ours: one mapper for the local file and for a primary over HTTP.
import { type ErrorCode, Failure } from '../errors'
import type { Statement } from '../ports'

/** A failed statement. `code` is SQLite's name, e.g. `SQLITE_CONSTRAINT_CHECK`; `step` is its place in the batch. */
export type Refusal = { code: string; message: string; step?: number | undefined }

const mapped: Record<string, ErrorCode> = {
  SQLITE_CONSTRAINT: 'conflict',
  SQLITE_FULL: 'disk_full',
  SQLITE_BUSY: 'unavailable',
  SQLITE_LOCKED: 'unavailable',
  TRANSACTION_BUSY: 'unavailable',
  TRANSACTION_TIMEOUT: 'unavailable',
}

/** Only what SQLite says about the text of a statement: other messages may quote a bound value. */
const aboutTheText =
  /(no such (table|column|function): [\w."]+|table \w+ has no column named \w+|near "\w*": syntax error)/

/**
 * The error to throw for `refusal`: the failing statement's own Failure for a constraint, else by its code; else an
 * Error that holds no bound value.
 */
export const databaseError = ({ code, message, step }: Refusal, statements: readonly Statement[] = []): Error => {
  // Through a replica a constraint comes as text alone.
  const kind = mapped[code.split('_', 2).join('_')] ?? (/constraint failed/i.test(message) ? 'conflict' : undefined)
  const statement = statements[step ?? -1]
  if (kind === 'conflict' && statement?.orElse) return statement.orElse
  if (kind) return new Failure(kind)
  const place = statement ? ` at statement ${step! + 1} of ${statements.length}` : ''
  return new Error(`The database refused${place}: ${aboutTheText.exec(message)?.[0] ?? code}`)
}

/** What the driver of a local file throws, as ours; `step`: which of the statements it threw at. */
export const refused = (error: unknown, statements?: readonly Statement[], step?: number) => {
  if (!(error instanceof Error && 'code' in error)) return error
  return databaseError({ code: String(error.code), message: error.message, step }, statements)
}
