// Code and link secret of a challenge: derived, never stored, each under its own key, so that a resend repeats them.
import { type CodeFormat, newCode } from '../../lib/code'
import { hmac, keyedHash } from '../../lib/crypto'
import type { ChallengeRow } from './store'

type Ring = {
  current(purpose: 'challenge'): { kid: string; key: Uint8Array }
  find(purpose: 'challenge', kid: string): Uint8Array | undefined
}

export const createCredentials = (ring: Ring, format: CodeFormat) => {
  const current = ring.current('challenge')

  const derive = (
    use: 'code' | 'link',
    row: Pick<ChallengeRow, 'id' | 'kid' | 'purpose' | 'addressHash'>,
  ): Uint8Array => {
    const root = ring.find('challenge', row.kid)
    if (!root) throw new Error('a challenge was made under a key that this instance does not have')
    return hmac(hmac(root, use), row.id, row.purpose, row.addressHash)
  }

  return {
    kid: current.kid,
    format,
    /** As `format` says. */
    codeOf: (row: Parameters<typeof derive>[1]): string => newCode(derive('code', row), format),
    /** 256 bits, base64url. */
    linkSecretOf: (row: Parameters<typeof derive>[1]): string => Buffer.from(derive('link', row)).toString('base64url'),
    /** What is kept of the secret that binds a challenge to the browser that asked. */
    hashBinding: (binding: string): string => keyedHash(hmac(current.key, 'binding'), binding),
    /** What binds a challenge to the session that asked: no secret, and nothing that a request could send. */
    hashSession: (sessionId: string): string => keyedHash(hmac(current.key, 'session'), sessionId),
  }
}
export type Credentials = ReturnType<typeof createCredentials>
