// Writes to a primary: what comes meanwhile goes together, each batch whole or not at all, and nothing is done twice.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openHttpDatabase } from '../src/adapters/database-http'
import { createPrimary } from '../src/adapters/primary'
import { Failure } from '../src/errors'
import type { Fetch, Statement } from '../src/ports'
import { failureOf, insertUser } from './contract/database'
import { type Sqld, startSqld } from './sqld'

describe('a real primary', () => {
  let sqld: Sqld
  beforeAll(async () => {
    sqld = await startSqld()
    await (await openHttpDatabase({ url: sqld.url, token: sqld.token('rw') })).close()
  })
  afterAll(() => sqld.stop())

  const open = () => {
    let asked = 0
    const counted: Fetch = (...given) => {
      asked++
      return fetch(...given)
    }
    const primary = createPrimary({ url: sqld.url, token: sqld.token('rw'), fetch: counted })
    return { primary, asked: () => asked }
  }
  const namesOf = async (primary: ReturnType<typeof createPrimary>, like: string) =>
    (await primary.read('select id from users where id like ? order by id', [like])).map(([id]) => id)

  test('what comes while a request is under way is one request, and each batch is answered for itself', async () => {
    const { primary, asked } = open()
    const taken = { ...insertUser('a-0'), orElse: new Failure('precondition_failed') }
    const names = Array.from({ length: 12 }, (_, i) => `a-${String(i).padStart(2, '0')}`)
    await primary.batch([insertUser('a-0')])
    const sent = names.map((name, i) => primary.batch(i % 3 === 2 ? [insertUser(name), taken] : [insertUser(name)]))
    const ends = await Promise.all(sent.map(failureOf))
    expect(ends).toEqual(names.map((_, i) => (i % 3 === 2 ? 'precondition_failed' : 'none')))
    expect(await namesOf(primary, 'a-__')).toEqual(names.filter((_, i) => i % 3 !== 2))
    expect(asked()).toBe(3)
  })

  test('each sees what was made before it, and its outcomes are its own', async () => {
    const { primary } = open()
    const count: Statement = { sql: "update users set locale = 'de' where id like 'b-%' returning id", args: [] }
    const sent = [0, 1, 2, 3].map((i) => primary.batch([insertUser(`b-${i}`), count]))
    const written = await Promise.all(sent)
    expect(written.map(({ outcomes }) => outcomes[1]?.changes)).toEqual([1, 2, 3, 4])
  })

  test('a batch that ends its transaction takes the others of its group along, and what comes next is made', async () => {
    const { primary } = open()
    const ending = { ...insertUser('c-0'), sql: insertUser('c-0').sql.replace('insert', 'insert or rollback') }
    const sent = [[insertUser('c-0')], [insertUser('c-1')], [ending, insertUser('c-2')], [insertUser('c-3')]]
    const ends = await Promise.all(sent.map((statements) => failureOf(primary.batch(statements))))
    expect(ends[0]).toBe('none')
    for (const end of ends.slice(1)) expect(end).not.toBe('none')
    expect(await namesOf(primary, 'c-%')).toEqual(['c-0'])
    await primary.batch([insertUser('c-4')])
    expect(await namesOf(primary, 'c-%')).toEqual(['c-0', 'c-4'])
  })
})

describe('a primary that gives no lock', () => {
  const done = { cols: [], rows: [], affected_row_count: 0 }
  const busy = { message: 'database is locked', code: 'SQLITE_BUSY' }
  const constraint = { message: 'UNIQUE constraint failed', code: 'SQLITE_CONSTRAINT_UNIQUE' }
  type End = typeof done | typeof busy | null
  /** Answers the steps of a batch of one statement, one time after the other. */
  const answering = (...answers: End[][]) => {
    let asked = 0
    const fetch: Fetch = async () => {
      const ends = answers[Math.min(asked++, answers.length - 1)]!
      const step_results = ends.map((end) => (end && 'cols' in end ? end : null))
      const step_errors = ends.map((end) => (end && 'code' in end ? end : null))
      const result = { step_results, step_errors, replication_index: '7' }
      return Response.json({ results: [{ type: 'ok', response: { result } }] })
    }
    const primary = createPrimary({ url: 'http://primary.test', token: 't', fetch, timeoutMs: 300 })
    return { batch: () => failureOf(primary.batch([insertUser('one')])), asked: () => asked }
  }
  // pragma, begin, savepoint, the statement, release, rollback to, release, commit, rollback
  const made = [done, done, done, done, done, null, null, done, null]
  const notBegun = [done, busy, null, null, null, null, null, null, busy]
  const open = made.slice(0, 7)

  test('before the transaction has begun: it is sent again', async () => {
    const { batch, asked } = answering(notBegun, notBegun, made)
    expect([await batch(), asked()]).toEqual(['none', 3])
  })

  test('at COMMIT: it is sent again where ROLLBACK found the transaction open, and else never', async () => {
    const undone = answering([...open, busy, done], made)
    expect([await undone.batch(), undone.asked()]).toEqual(['none', 2])
    const unsure = answering([...open, busy, busy], made)
    expect([await unsure.batch(), unsure.asked()]).toEqual(['unavailable', 1])
  })

  test('for as long as may be waited: unavailable', async () => {
    const { batch, asked } = answering(notBegun)
    const began = performance.now()
    expect(await batch()).toBe('unavailable')
    expect(performance.now() - began).toBeLessThan(1000)
    expect(asked()).toBeGreaterThan(2)
  })

  test('an answer that was lost is never asked for again', async () => {
    let asked = 0
    const fetch: Fetch = () => {
      asked++
      return Promise.reject(new Error('connection reset'))
    }
    const primary = createPrimary({ url: 'http://primary.test', token: 't', fetch })
    expect(await failureOf(primary.batch([insertUser('one')]))).toBe('unavailable')
    expect(asked).toBe(1)
  })

  test('what failed for another reason is not sent again', async () => {
    const { batch, asked } = answering([done, done, done, constraint, null, done, done, done, null])
    expect([await batch(), asked()]).toEqual(['conflict', 1])
  })
})

test('a batch that waits behind one without an answer is refused in its own time', async () => {
  const silent: Fetch = (_input, init) =>
    new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  const primary = createPrimary({ url: 'http://primary.test', token: 't', fetch: silent, timeoutMs: 200 })
  const took = async (id: string) => {
    const began = performance.now()
    expect(await failureOf(primary.batch([insertUser(id)]))).toBe('unavailable')
    return performance.now() - began
  }
  const first = took('one')
  await Bun.sleep(100)
  for (const ms of await Promise.all([first, took('two')])) expect(ms).toBeLessThan(290)
})
