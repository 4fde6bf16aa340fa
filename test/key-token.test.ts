// The form of API key tokens: what is refused before any look-up, and that tokens are evenly random.
import { expect, test } from 'bun:test'
import { base62 } from '../src/lib/id'
import { environments, hintOf, newKeyToken, parseKeyToken } from '../src/lib/key-token'

test('a new token is of the published form and names its environment, under any prefix', () => {
  for (const environment of environments) {
    const token = newKeyToken('ml', environment)
    expect(token).toMatch(/^ml_(live|test|dev)_[0-9A-Za-z]{40}[0-9A-Za-z]{6}$/)
    expect(parseKeyToken('ml', token)).toBe(environment)
    expect(parseKeyToken('acme2', newKeyToken('acme2', environment))).toBe(environment)
    expect(parseKeyToken('acme2', token)).toBeNull()
  }
})

test('the checksum is the CRC-32 of all before it, in base 62 with leading zeros', () => {
  const body = `ml_live_${'0'.repeat(40)}`
  const checksum = Bun.hash.crc32(body)
  const digits = [5, 4, 3, 2, 1, 0].map((place) => base62[Math.floor(checksum / 62 ** place) % 62]).join('')
  expect(parseKeyToken('ml', body + digits)).toBe('live')
})

test('every change of a single character is caught, in prefix, environment, body and checksum', () => {
  const token = newKeyToken('ml', 'live')
  const passed = []
  for (let i = 0; i < token.length; i++)
    for (const character of `${base62}_-. \0é`) {
      const changed = token.slice(0, i) + character + token.slice(i + 1)
      if (changed !== token && parseKeyToken('ml', changed) !== null) passed.push(changed)
    }
  expect(passed).toEqual([])
  expect(parseKeyToken('ml', token)).toBe('live')
})

test('neighbours swapped, a character lost or added, another environment: refused', () => {
  const token = newKeyToken('ml', 'test')
  for (let i = 0; i < token.length; i++) {
    expect(parseKeyToken('ml', token.slice(0, i) + token.slice(i + 1))).toBeNull()
    expect(parseKeyToken('ml', `${token.slice(0, i)}0${token.slice(i)}`)).toBeNull()
    const swapped = token.slice(0, i) + (token[i + 1] ?? '') + token[i] + token.slice(i + 2)
    expect(parseKeyToken('ml', swapped)).toBe(swapped === token ? 'test' : null)
  }
  expect(parseKeyToken('ml', token.replace('_test_', '_live_'))).toBeNull()
  for (const text of ['', 'ml', `${token}\n`, ` ${token}`, 'x'.repeat(10_000)])
    expect(parseKeyToken('ml', text)).toBeNull()
})

test('the hint shows the first four characters and no more', () => {
  const token = newKeyToken('ml', 'live')
  expect(hintOf(token)).toBe(token.slice(0, 12))
  expect(hintOf(token)).toMatch(/^ml_live_[0-9A-Za-z]{4}$/)
})

test('tokens are all different and each character is as likely as any other', () => {
  const counts = new Map<string, number>()
  const tokens = new Set<string>()
  for (let i = 0; i < 10_000; i++) {
    const token = newKeyToken('ml', 'live')
    tokens.add(token)
    for (const character of token.slice(8, 48)) counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  expect(tokens.size).toBe(10_000)
  const expected = 400_000 / 62
  const chiSquare = [...base62].reduce((sum, c) => sum + ((counts.get(c) ?? 0) - expected) ** 2 / expected, 0)
  // 61 degrees of freedom: an even source passes 150 once in 10^9 runs; a byte modulo 62 gives over 4,000.
  expect(chiSquare).toBeLessThan(150)
})
