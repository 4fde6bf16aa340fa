// What a libSQL primary is told and answers: Hrana 3 over HTTP, as much of it as one round trip needs.
import type { Outcome, Row, Statement, Value } from '../ports'

type Cell =
  | { type: 'null' }
  | { type: 'integer' | 'text'; value: string }
  | { type: 'float'; value: number }
  | { type: 'blob'; base64: string }
export type Result = { cols: { name: string }[]; rows: Cell[][]; affected_row_count: number }
export type Refusal = { message: string; code?: string }
export type BatchResult = {
  step_results: (Result | null)[]
  step_errors: (Refusal | null)[]
  replication_index: string | null
}
export type Answer<T> = { type: 'ok'; response: { result: T } } | { type: 'error'; error: Refusal }

export type Condition =
  | { type: 'ok'; step: number }
  | { type: 'not'; cond: Condition }
  | { type: 'and' | 'or'; conds: Condition[] }
/** A step of a batch; one whose condition does not hold is passed over, with neither result nor error. */
export type Step = { stmt: ReturnType<typeof toStmt>; condition?: Condition }

const toCell = (value: Value): Cell => {
  if (value === null) return { type: 'null' }
  if (typeof value === 'string') return { type: 'text', value }
  if (typeof value !== 'number') return { type: 'blob', base64: Buffer.from(value).toString('base64') }
  return Number.isInteger(value) ? { type: 'integer', value: `${value}` } : { type: 'float', value }
}

const fromCell = (cell: Cell): Value => {
  if (cell.type === 'null') return null
  if (cell.type === 'blob') return new Uint8Array(Buffer.from(cell.base64, 'base64'))
  return cell.type === 'integer' ? Number(cell.value) : cell.value
}

export const toStmt = ({ sql, args }: Pick<Statement, 'sql' | 'args'>) => ({ sql, args: args.map(toCell) })

export const toRows = ({ rows }: Result): Value[][] => rows.map((row) => row.map(fromCell))

export const toOutcome = ({ cols, rows, affected_row_count }: Result): Outcome => ({
  rows: rows.map((row): Row => Object.fromEntries(cols.map(({ name }, i) => [name, fromCell(row[i]!)]))),
  changes: affected_row_count,
})
