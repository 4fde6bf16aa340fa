// Batches that go to a primary together: the steps of one transaction, each batch whole or not at all, and how it ended.
import type { Outcome, Statement } from '../ports'
import { databaseError } from './database-errors'
import { type BatchResult, type Condition, type Refusal, type Step, toOutcome, toStmt } from './hrana'

const ok = (step: number): Condition => ({ type: 'ok', step })
const not = (cond: Condition): Condition => ({ type: 'not', cond })

/** Where a batch stands among the steps: its first statement, and the release that follows its last. */
type Place = { first: number; release: number }
export type Group = { steps: Step[]; places: Place[]; commit: number }

/** `batches` as one transaction. A batch that fails is taken back by itself; the others stand. */
export const newGroup = (batches: readonly (readonly Statement[])[]): Group => {
  const steps: Step[] = []
  const add = (statement: Pick<Statement, 'sql' | 'args'>, condition?: Condition) =>
    steps.push({ stmt: toStmt(statement), ...(condition && { condition }) }) - 1
  const run = (sql: string, condition?: Condition) => add({ sql, args: [] }, condition)

  let ready = ok(run('begin immediate', ok(run('pragma foreign_keys = on'))))
  const places = batches.map((statements): Place => {
    const begun = run('savepoint batch', ready)
    let last = begun
    for (const statement of statements) last = add(statement, ok(last))
    const release = run('release batch', ok(last))
    const undone = run('rollback to batch', { type: 'and', conds: [ok(begun), not(ok(release))] })
    ready = { type: 'or', conds: [ok(release), ok(run('release batch', ok(undone)))] }
    return { first: begun + 1, release }
  })
  const commit = run('commit', ready)
  run('rollback', not(ok(commit)))
  return { steps, places, commit }
}

const isLocked = (error: Refusal | null | undefined) => /^(SQLITE|TRANSACTION)_BUSY/.test(error?.code ?? '')

/**
 * What each batch came to: its outcomes, or the error to raise. `again` where the primary gave no lock and nothing was done:
 * COMMIT was not reached, or it found no lock and left the transaction open, which the ROLLBACK after it then says.
 */
export const readGroup = (
  { places, commit }: Group,
  { step_results: results, step_errors: errors }: BatchResult,
  batches: readonly (readonly Statement[])[],
): 'again' | (Outcome[] | Error)[] => {
  const refused = (at: number, i: number) => {
    const { code = '', message } = errors[at] ?? { message: '' }
    return databaseError({ code, message, step: at - places[i]!.first }, batches[i])
  }
  const failures = places.map(({ first, release }) =>
    errors.findIndex((error, at) => error !== null && at >= first - 1 && at <= release),
  )
  if (results[commit] == null) {
    // What ended the transaction; before it, batches may have failed by themselves.
    const end = [0, 1, commit].find((at) => errors[at] != null) ?? failures.findLast((at) => at >= 0) ?? -1
    if (isLocked(errors[end]) && (end < commit || results[commit + 1] != null)) return 'again'
    return places.map((_, i) => refused(end, i))
  }
  return places.map(({ first, release }, i) =>
    results[release] == null
      ? refused(failures[i]!, i)
      : results.slice(first, release).map((result) => toOutcome(result!)),
  )
}
