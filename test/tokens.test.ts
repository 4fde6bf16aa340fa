// Session tokens: what we signed, as we spelled it, before its end; and nothing else.
import { describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createTokens } from '../src/adapters/tokens-jwt'
import { randomBytes } from '../src/lib/crypto'

const now = Date.UTC(2030, 0, 1)
const claims = { sid: 'ses_1', sub: 'usr_1', sec: 'c2VjcmV0', expiresAt: now + 60_000 }
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const newRing = (kid = 'k1') => {
  const keys = new Map([[kid, randomBytes(32)]])
  const keyring = { current: () => ({ kid, key: keys.get(kid)! }), find: (_: 'session', k: string) => keys.get(k) }
  return { key: keys.get(kid)!, tokens: createTokens({ keyring }) }
}

/** A token made by hand, as somebody who holds `key` could. */
const forge = (key: Uint8Array, header: object, payload: object, hash = 'sha256') => {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`
}
const header = { alg: 'HS256', kid: 'k1', typ: 'JWT' }
const payload = {
  ...{ iss: 'latchkey', aud: 'session', iat: now / 1000, exp: now / 1000 + 60 },
  ...{ sid: 'ses_1', sub: 'usr_1', sec: 'c2VjcmV0' },
}

describe('session tokens', () => {
  test('say what was signed, under the current key', async () => {
    const { tokens } = newRing()
    const { token, kid } = await tokens.sign(claims)
    expect(kid).toBe('k1')
    expect(await tokens.verify(token, now)).toEqual(claims)
  })

  test('no other spelling is accepted: every character changed, at every place', async () => {
    const { tokens } = newRing()
    const { token } = await tokens.sign(claims)
    const last = token.length - 1
    const accepted: string[] = []
    for (let i = 0; i <= last; i++) {
      const near = i === last ? [...alphabet] : [alphabet[i % 64]!, alphabet[(i + 31) % 64]!]
      for (const c of [...near, '=', '.', ' ', '\n', '+', '/', '\0', 'é']) {
        const other = token.slice(0, i) + c + token.slice(i + 1)
        if (other !== token && (await tokens.verify(other, now))) accepted.push(`${c} at ${i}`)
      }
    }
    expect(accepted).toEqual([])
    expect(await tokens.verify(token, now)).toEqual(claims)
  })

  test('nothing cut off and nothing added is accepted', async () => {
    const { tokens } = newRing()
    const { token } = await tokens.sign(claims)
    const cut = Array.from({ length: token.length }, (_, i) => [token.slice(0, i), token.slice(i + 1)]).flat()
    const added = ['=', '==', '.', ' ', '\n', '\r\n', '\0', 'A', '%3D'].flatMap((c) => [token + c, c + token])
    const standard = token.replaceAll('-', '+').replaceAll('_', '/')
    const parts = token.split('.')
    const padded = parts.map((_, i) => parts.map((part, j) => (i === j ? `${part}=` : part)).join('.'))
    const others = [...cut, ...added, ...padded, ` ${token}`, `Bearer ${token}`, `${token}${'A'.repeat(5000)}`]
    if (standard !== token) others.push(standard)
    expect((await Promise.all(others.map((t) => tokens.verify(t, now)))).filter(Boolean)).toEqual([])
  })

  test('a hand-made token of our own shape is read, so that the refusals below are about what they change', async () => {
    const { tokens, key } = newRing()
    expect(await tokens.verify(forge(key, header, payload), now)).toEqual(claims)
  })

  const changes: [string, { header?: object; payload?: object; hash?: string }][] = [
    ['another algorithm', { header: { alg: 'HS512' }, hash: 'sha512' }],
    ['a named algorithm that is not the one used', { header: { alg: 'HS384' } }],
    ['no algorithm', { header: { alg: 'none' } }],
    ['another type', { header: { typ: 'at+jwt' } }],
    ['a critical extension', { header: { crit: ['x'], x: 1 } }],
    ['no kid', { header: { kid: undefined } }],
    ['an unknown kid', { header: { kid: 'k2' } }],
    ['a kid that is no text', { header: { kid: ['k1'] } }],
    ['another issuer', { payload: { iss: 'other' } }],
    ['no issuer', { payload: { iss: undefined } }],
    ['another audience', { payload: { aud: 'other' } }],
    ['no audience', { payload: { aud: undefined } }],
    ['no beginning', { payload: { iat: undefined } }],
    ['no end', { payload: { exp: undefined } }],
    ['an end that is no number', { payload: { exp: '9999999999' } }],
    ['no session', { payload: { sid: undefined } }],
    ['a session that is no text', { payload: { sid: 1 } }],
    ['no user', { payload: { sub: undefined } }],
    ['no secret', { payload: { sec: undefined } }],
    ['a beginning in the future', { payload: { nbf: now / 1000 + 10 } }],
  ]
  test.each(changes)('%s is refused, even when rightly signed', async (_what, change) => {
    const { tokens, key } = newRing()
    const forged = forge(key, { ...header, ...change.header }, { ...payload, ...change.payload }, change.hash)
    expect(await tokens.verify(forged, now)).toBeNull()
  })

  test('another key of the same name opens nothing', async () => {
    const { token } = await newRing().tokens.sign(claims)
    expect(await newRing().tokens.verify(token, now)).toBeNull()
  })

  test('it ends by the clock it is given, to the second', async () => {
    const { tokens } = newRing()
    const { token } = await tokens.sign({ ...claims, expiresAt: now + 60_900 })
    expect(await tokens.verify(token, now + 59_999)).toEqual(claims)
    expect(await tokens.verify(token, now + 60_000)).toBeNull()
  })

  test('rotating the signing key keeps people signed in; taking a key away does not', async () => {
    const keys = new Map([['old', randomBytes(32)]])
    let current = 'old'
    const keyring = {
      current: () => ({ kid: current, key: keys.get(current)! }),
      find: (_: 'session', kid: string) => keys.get(kid),
    }
    const tokens = createTokens({ keyring })
    const before = await tokens.sign(claims)
    keys.set('new', randomBytes(32))
    current = 'new'
    const after = await tokens.sign(claims)
    expect([before.kid, after.kid]).toEqual(['old', 'new'])
    expect([await tokens.verify(before.token, now), await tokens.verify(after.token, now)]).toEqual([claims, claims])
    keys.delete('old')
    expect(await createTokens({ keyring }).verify(before.token, now)).toBeNull()
  })
})
