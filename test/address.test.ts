// Addresses: one spelling for each, and no way to smuggle anything through one.
import { describe, expect, test } from 'bun:test'
import { Failure } from '../src/errors'
import { parseAddress } from '../src/lib/address'
import { accepted, refused } from './data/addresses'

const refusal = (typed: string): Failure | null => {
  try {
    parseAddress(typed)
    return null
  } catch (error) {
    return error as Failure
  }
}

describe('addresses', () => {
  test('the corpus has 200 different addresses or more', () => {
    expect(new Set([...accepted.map(([typed]) => typed), ...refused]).size).toBe(accepted.length + refused.length)
    expect(accepted.length + refused.length).toBeGreaterThanOrEqual(200)
  })

  test('each accepted spelling gives its one identity and mailbox', () => {
    const read = accepted.map(([typed]) => ({ typed, ...parseAddress(typed) }))
    expect(read).toEqual(accepted.map(([typed, exact, mailbox]) => ({ typed, exact, mailbox: mailbox ?? exact })))
  })

  test('an identity is read as itself', () => {
    expect(accepted.map(([, exact]) => parseAddress(exact).exact)).toEqual(accepted.map(([, exact]) => exact))
  })

  test('everything else is refused', () => {
    expect(refused.filter((typed) => !(refusal(typed) instanceof Failure))).toEqual([])
  })

  test('a refusal names the field and repeats nothing of what was typed', () => {
    const error = refusal('canary canary@example.com')
    expect({ code: error?.code, extra: error?.extra }).toEqual({ code: 'invalid', extra: { field: 'email' } })
    expect(`${error?.message} ${error?.detail} ${error?.stack} ${JSON.stringify(error)}`).not.toContain('canary')
  })

  test('tags and dots never fold an identity', () => {
    const spellings = ['ada@gmail.com', 'a.da@gmail.com', 'ada+x@gmail.com', 'ada@googlemail.com'].map(parseAddress)
    expect(new Set(spellings.map((a) => a.exact)).size).toBe(4)
    expect(new Set(spellings.map((a) => a.mailbox)).size).toBe(1)
  })

  test('a long hostile input is refused at once', () => {
    const started = performance.now()
    for (const typed of [`${'a.'.repeat(50_000)}@x`, `a@${'a-'.repeat(50_000)}`, ' '.repeat(100_000)]) refusal(typed)
    expect(performance.now() - started).toBeLessThan(200)
  })
})
