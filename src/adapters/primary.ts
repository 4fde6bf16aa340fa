// A libSQL primary (sqld, Turso) over HTTP: reads side by side, writes in a row.
import { Failure } from '../errors'
import type { Fetch, Value } from '../ports'
import { databaseError } from './database-errors'
import { type Answer, type Result, toRows, toStmt } from './hrana'
import { type Ask, createWriter } from './primary-writer'

export type PrimaryOptions = { url: string; token: string; fetch?: Fetch; timeoutMs?: number; maxReads?: number }

/**
 * Reads and whole batches, each answered or refused within `timeoutMs`. `url`: `https://…` or `libsql://…`.
 * @throws Failure `unavailable` when the primary is out of reach, slow, overrun, or `maxReads` reads are under way;
 * a batch that ended so may still have been committed.
 */
export const createPrimary = ({
  url,
  token,
  fetch = globalThis.fetch,
  timeoutMs = 5000,
  maxReads = 64,
}: PrimaryOptions) => {
  const endpoint = `${url.replace(/^libsql:/, 'https:').replace(/\/$/, '')}/v3/pipeline`
  let reading = 0

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

  const ask: Ask = async <T>(request: object): Promise<Answer<T>> => {
    const { status, answer } = await post<T>(request).catch((cause: unknown) => {
      throw new Failure('unavailable', undefined, { cause })
    })
    if (status === 429 || status >= 500) throw new Failure('unavailable')
    if (!answer) throw new Error(`The primary refused a request with status ${status}`)
    return answer
  }

  const read = async (sql: string, args: readonly Value[]): Promise<Value[][]> => {
    if (reading >= maxReads) throw new Failure('unavailable')
    reading++
    try {
      const answer = await ask<Result>({ type: 'execute', stmt: toStmt({ sql, args }) })
      if (answer.type === 'error') throw databaseError({ code: '', ...answer.error })
      return toRows(answer.response.result)
    } finally {
      reading--
    }
  }
  return { read, batch: createWriter(ask, timeoutMs) }
}
