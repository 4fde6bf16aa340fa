// Writes on their way to a primary: one request at a time, with all that came meanwhile. It has one lock to give.
import { Failure } from '../errors'
import type { Outcome, Statement } from '../ports'
import { databaseError } from './database-errors'
import type { Answer, BatchResult } from './hrana'
import { newGroup, readGroup } from './primary-group'

/** `replicationIndex`: what a replica must have reached to show the batch. */
type Written = { outcomes: Outcome[]; replicationIndex: number }
type Waiting = {
  statements: readonly Statement[]
  until: number
  resolve(written: Written): void
  reject(error: unknown): void
}
export type Ask = <T>(request: object) => Promise<Answer<T>>

const maxWaiting = 1024
const maxGroup = 32
const longestPauseMs = 200

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Sends batches, and settles each within `timeoutMs`. A primary that gives no lock is asked again; one that does not answer
 * never is. @throws Failure `unavailable`
 */
export const createWriter = (ask: Ask, timeoutMs: number) => {
  let waiting: Waiting[] = []
  let isSending = false

  const send = async (group: readonly Waiting[]): Promise<void> => {
    const batches = group.map(({ statements }) => statements)
    const sent = newGroup(batches)
    for (let tries = 1; ; tries++) {
      const answer = await ask<BatchResult>({ type: 'batch', batch: { steps: sent.steps } })
      if (answer.type === 'error') throw databaseError({ code: '', ...answer.error })
      const { result } = answer.response
      const ends = readGroup(sent, result, batches)
      const pauseMs = Math.random() * Math.min(10 * 2 ** tries, longestPauseMs)
      if (ends !== 'again') {
        const replicationIndex = Number(result.replication_index)
        for (const [i, end] of ends.entries())
          if (end instanceof Error) group[i]!.reject(end)
          else group[i]!.resolve({ outcomes: end, replicationIndex })
        return
      }
      if (performance.now() + pauseMs > group[0]!.until) throw new Failure('unavailable')
      await sleep(pauseMs)
    }
  }

  const drain = async () => {
    isSending = true
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxGroup)
      await send(group).catch((error: unknown) => {
        for (const { reject } of group) reject(error)
      })
    }
    isSending = false
  }

  return (statements: readonly Statement[]): Promise<Written> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) throw new Failure('unavailable')
      const late = setTimeout(() => {
        waiting = waiting.filter((other) => other !== mine)
        reject(new Failure('unavailable'))
      }, timeoutMs)
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T) => {
          clearTimeout(late)
          how(value)
        }
      const mine = {
        statements,
        until: performance.now() + timeoutMs,
        resolve: settle(resolve),
        reject: settle(reject),
      }
      waiting.push(mine)
      if (!isSending) void drain()
    })
}
