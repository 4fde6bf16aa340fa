// The primary over HTTP when it is slow, overrun, away, or refuses the token.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { openHttpDatabase } from '../src/adapters/database-http'
import { createPrimary } from '../src/adapters/primary'
import type { Fetch } from '../src/ports'
import { failureOf, insertUser } from './contract/database'
import { type Sqld, startSqld } from './sqld'

const answering =
  (status: number): Fetch =>
  () =>
    Promise.resolve(new Response('{}', { status }))
/** Answers nothing, ever; gives up when it is told to. */
const silent: Fetch = (_input, init) =>
  new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))

const newPrimary = (fetch: Fetch, timeoutMs = 5000) =>
  createPrimary({ url: 'http://primary.test', token: 'token-canary', fetch, timeoutMs })

describe('a primary that does not do its part', () => {
  test('is unavailable after the timeout', async () => {
    const primary = newPrimary(silent, 20)
    expect(await failureOf(primary.read('select 1', []))).toBe('unavailable')
    expect(await failureOf(primary.batch([]))).toBe('unavailable')
  })

  test('is asked 64 things at once and no more; then again', async () => {
    let asked = 0
    const counted: Fetch = (...given) => {
      asked++
      return silent(...given)
    }
    const primary = newPrimary(counted, 50)
    const answers = Array.from({ length: 100 }, () => failureOf(primary.read('select 1', [])))
    expect(asked).toBe(64)
    expect(await Promise.all(answers)).toEqual(Array(100).fill('unavailable'))
    await failureOf(primary.read('select 1', []))
    expect(asked).toBe(65)
  })

  test.each([429, 500, 503])('that answers %i is unavailable', async (status) => {
    expect(await failureOf(newPrimary(answering(status)).batch([]))).toBe('unavailable')
  })

  test.each([302, 400, 401, 403, 404])('that answers %i is an error of ours, without the token', async (status) => {
    const message = await failureOf(newPrimary(answering(status)).read('select 1', []))
    expect(message).toBe(`The primary refused a request with status ${status}`)
  })

  test('does not get the token of a libsql: address in the clear', async () => {
    let url = ''
    const fetch: Fetch = (input) => {
      url = String(input)
      return answering(503)(input)
    }
    await failureOf(createPrimary({ url: 'libsql://a.turso.test/', token: 't', fetch }).batch([]))
    expect(url).toBe('https://a.turso.test/v3/pipeline')
  })
})

describe('a real primary', () => {
  let sqld: Sqld
  beforeAll(async () => {
    sqld = await startSqld()
    await openHttpDatabase({ url: sqld.url, token: sqld.token('rw') })
  })
  afterAll(() => sqld.stop())

  test('says how far a replica must have come to show a batch', async () => {
    const primary = createPrimary({ url: sqld.url, token: sqld.token('rw') })
    const first = await primary.batch([insertUser('one')])
    const second = await primary.batch([insertUser('two')])
    expect(first.replicationIndex).toBeGreaterThan(0)
    expect(second.replicationIndex).toBeGreaterThan(first.replicationIndex)
  })

  test('takes reads, and no writes, for a read-only token', async () => {
    const primary = createPrimary({ url: sqld.url, token: sqld.token('ro') })
    expect(await primary.read('select 7', [])).toEqual([[7]])
    expect(await failureOf(primary.batch([insertUser('three')]))).not.toBe('none')
    expect(await primary.read('select count(*) from users where id = ?', ['three'])).toEqual([[0]])
  })

  test('refuses a token that it did not sign', async () => {
    const other = createPrimary({ url: sqld.url, token: `${sqld.token('rw').slice(0, -8)}AAAAAAAA` })
    expect(await failureOf(other.read('select 1', []))).toBe('The primary refused a request with status 401')
  })

  test('that is gone is unavailable, for reads, batches and the check', async () => {
    const own = await startSqld()
    const db = await openHttpDatabase({ url: own.url, token: own.token('rw') })
    await db.check()
    await own.stop()
    expect(await failureOf((async () => await db.orm.values(sql`select 1`))())).toBe('unavailable')
    expect(await failureOf(db.batch([insertUser('four')]))).toBe('unavailable')
    expect(await failureOf(db.check())).toBe('unavailable')
  })
})
