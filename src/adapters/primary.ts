// A libSQL primary (sqld, Turso) over HTTP: Hrana 3, as much of it as one round trip needs.
import { Failure } from '../errors'
import type { Fetch, Outcome, Row, Statement, Value } from '../ports'
import { databaseError } from './database-errors'

type Cell =
  | { type: 'null' }
  | { type: 'integer' | 'text'; value: string }
  | { type: 'float'; value: number }
  | { type: 'blob'; base64: string }
type Result = { cols: { name: string }[]; rows: Cell[][]; affected_row_count: number }
type Refusal = { message: string; code?: string }
type BatchResult = {
  step_results: (Result | null)[]
  step_errors: (Refusal | null)[]
  replication_index: string | null
}
type Answer<T> = { type: 'ok'; response: { result: T } } | { type: 'error'; error: Refusal }

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

const newOutcome = ({ cols, rows, affected_row_count }: Result): Outcome => ({
  rows: rows.map((row): Row => Object.fromEntries(cols.map(({ name }, i) => [name, fromCell(row[i]!)]))),
  changes: affected_row_count,
})

const toStmt = ({ sql, args }: Statement) => ({ sql, args: args.map(toCell) })
const plain = (sql: string): Statement => ({ sql, args: [] })
const openingOf = (foreignKeys: 'on' | 'off') => [`pragma foreign_keys = ${foreignKeys}`, 'begin immediate'].map(plain)
const openingSteps = 2

/** One transaction as steps that each need the one before; the last undoes it unless it was committed. */
const newSteps = (statements: readonly Statement[], foreignKeys: 'on' | 'off') => {
  const chain = [...openingOf(foreignKeys), ...statements, plain('commit')].map((s, i) => ({
    stmt: toStmt(s),
    ...(i > 0 && { condition: { type: 'ok', step: i - 1 } }),
  }))
  const undo = { type: 'not', cond: { type: 'ok', step: chain.length - 1 } }
  return [...chain, { stmt: toStmt(plain('rollback')), condition: undo }]
}

const refused = ({ code = '', message }: Refusal, statements?: readonly Statement[], step?: number) =>
  databaseError({ code, message, step }, statements)

// Under many writers sqld now and then gives no lock instead of waiting for it. Before its lock a batch has done nothing.
const maxTries = 6
const wasLocked = (answer: Answer<BatchResult>): boolean =>
  answer.type === 'ok' &&
  answer.response.result.step_errors.slice(0, openingSteps).some((error) => error?.code?.startsWith('SQLITE_BUSY'))

export type PrimaryOptions = {
  url: string
  token: string
  fetch?: Fetch
  timeoutMs?: number
  maxInFlight?: number
  /** `off` where whole tables are brought that hold together already. */
  foreignKeys?: 'on' | 'off'
}

/**
 * Reads and whole batches, each one round trip. `url`: `https://…` or `libsql://…`.
 * @throws Failure `unavailable` when the primary is out of reach, slow, overrun, or `maxInFlight` requests are under way;
 * a batch that ended so may still have been committed.
 */
export const createPrimary = ({
  url,
  token,
  fetch = globalThis.fetch,
  timeoutMs = 5000,
  maxInFlight = 64,
  foreignKeys = 'on',
}: PrimaryOptions) => {
  const endpoint = `${url.replace(/^libsql:/, 'https:').replace(/\/$/, '')}/v3/pipeline`
  let inFlight = 0

  const post = async <T>(request: object) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ requests: [request, { type: 'close' }] }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    const { results } = response.ok ? (JSON.parse(text) as { results: [Answer<T>] }) : {}
    return { status: response.status, answer: results?.[0] }
  }

  const ask = async <T>(request: object): Promise<Answer<T>> => {
    if (inFlight >= maxInFlight) throw new Failure('unavailable')
    inFlight++
    try {
      const { status, answer } = await post<T>(request).catch((cause: unknown) => {
        throw new Failure('unavailable', undefined, { cause })
      })
      if (status === 429 || status >= 500) throw new Failure('unavailable')
      if (!answer) throw new Error(`The primary refused a request with status ${status}`)
      return answer
    } finally {
      inFlight--
    }
  }

  return {
    async read(sql: string, args: readonly Value[]): Promise<Value[][]> {
      const answer = await ask<Result>({ type: 'execute', stmt: toStmt({ sql, args }) })
      if (answer.type === 'error') throw refused(answer.error)
      return answer.response.result.rows.map((row) => row.map(fromCell))
    },
    /** `replicationIndex`: what a replica must have reached to show this batch. */
    async batch(statements: readonly Statement[]): Promise<{ outcomes: Outcome[]; replicationIndex: number }> {
      const request = { type: 'batch', batch: { steps: newSteps(statements, foreignKeys) } }
      let answer = await ask<BatchResult>(request)
      for (let tries = 1; wasLocked(answer) && tries < maxTries; tries++) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** tries))
        answer = await ask<BatchResult>(request)
      }
      if (answer.type === 'error') throw refused(answer.error, statements)
      const { step_results, step_errors, replication_index } = answer.response.result
      const failed = step_errors.findIndex((error) => error !== null)
      if (failed >= 0) throw refused(step_errors[failed]!, statements, failed - openingSteps)
      const results = step_results.slice(openingSteps, openingSteps + statements.length)
      return { outcomes: results.map((r) => newOutcome(r!)), replicationIndex: Number(replication_index) }
    },
  }
}
