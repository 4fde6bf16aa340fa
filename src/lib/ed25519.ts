// Ed25519 signatures (RFC 8032) under a key that is kept as its 32-byte seed.
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'

// The fixed beginning of every PKCS #8 Ed25519 private key (RFC 8410, section 7).
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Signs and verifies texts; signatures and the public key are base64url. */
export const createSigner = (seed: Uint8Array) => {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  return {
    publicKey: publicKey.export({ format: 'jwk' }).x!,
    sign: (text: string): string => sign(null, Buffer.from(text), privateKey).toString('base64url'),
    verify: (text: string, signature: string): boolean =>
      verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64url')),
  }
}

/** Checks signatures under a public key (base64url of its 32 bytes). @throws Error for what is no such key. */
export const createVerifierOf = (publicKey: string): ((text: string, signature: string) => boolean) => {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
  return (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
}
