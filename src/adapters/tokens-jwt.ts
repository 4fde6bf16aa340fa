// Session tokens as JWT (RFC 7519) by @elysiajs/jwt: HS256 and nothing else, one instance for each key.
import { jwt } from '@elysiajs/jwt'
import type { SessionClaims, Tokens } from '../ports'

const [issuer, audience] = ['latchkey', 'session']
const maxLength = 1024

// Three parts of base64url. 32 bytes of signature leave 2 bits of the last character unused: only where they are zero is it ours.
const spelling = /^([\w-]+)\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]$/

const kidOf = (header: string): string | undefined => {
  try {
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
    return typeof kid === 'string' ? kid : undefined
  } catch {
    return undefined
  }
}

const createSigner = (kid: string, secret: Uint8Array) =>
  jwt({ name: 'jwt', secret, alg: 'HS256', kid, iss: issuer, aud: audience }).decorator.jwt

const claimsOf = ({ sid, sub, sec, exp }: Record<string, unknown>): SessionClaims | null =>
  typeof sid === 'string' && typeof sub === 'string' && typeof sec === 'string' && typeof exp === 'number'
    ? { sid, sub, sec, expiresAt: exp * 1000 }
    : null

/** Its keys for `session` are 32 random bytes each. */
type Keyring = {
  current(purpose: 'session'): { kid: string; key: Uint8Array }
  find(purpose: 'session', kid: string): Uint8Array | undefined
}

export const createTokens = ({ keyring }: { keyring: Keyring }): Tokens => {
  const signers = new Map<string, ReturnType<typeof createSigner>>()

  const signerOf = (kid: string) => {
    const known = signers.get(kid)
    const key = known ? undefined : keyring.find('session', kid)
    if (!key) return known
    const signer = createSigner(kid, key)
    signers.set(kid, signer)
    return signer
  }

  return {
    sign: async ({ expiresAt, ...claims }) => {
      const { kid } = keyring.current('session')
      const token = await signerOf(kid)!.sign({ ...claims, exp: Math.floor(expiresAt / 1000) })
      return { token, kid }
    },
    verify: async (token, now) => {
      const [, header] = token.length > maxLength ? [] : (spelling.exec(token) ?? [])
      const kid = header && kidOf(header)
      const said = await (kid ? signerOf(kid) : undefined)?.verify(token, {
        ...{ algorithms: ['HS256'], typ: 'JWT', issuer, audience, currentDate: new Date(now) },
        requiredClaims: ['iat', 'exp'],
      })
      return said ? claimsOf(said) : null
    },
  }
}
