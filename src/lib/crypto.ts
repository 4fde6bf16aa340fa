// The few primitives everything secret is built from. Synchronous, by node:crypto, which all three runtimes have.
import { createCipheriv, createDecipheriv, createHmac, hash, timingSafeEqual } from 'node:crypto'

/** `length` random bytes. */
export const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** Random bytes as base64url. */
export const randomSecret = (bytes = 32): string => Buffer.from(randomBytes(bytes)).toString('base64url')

/** SHA-256 as base64url. */
export const sha256 = (text: string | Uint8Array): string => hash('sha256', text, 'base64url')

/** HMAC-SHA-256 over the parts, each preceded by its length, so that no two lists of parts share an input. */
export const hmac = (key: Uint8Array, ...parts: readonly string[]): Uint8Array => {
  const mac = createHmac('sha256', key)
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8')
    mac.update(`${bytes.length}:`).update(bytes)
  }
  return mac.digest()
}

/** As `hmac`, in base64url: a keyed hash to store and to look up by. */
export const keyedHash = (key: Uint8Array, ...parts: readonly string[]): string =>
  Buffer.from(hmac(key, ...parts)).toString('base64url')

/** Compares in time that depends on the lengths alone. */
export const equalSecret = (a: string, b: string): boolean => {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

/** AES-256-GCM: base64url of `nonce(12) ‖ tag(16) ‖ ciphertext`. `aad` ties it to its place: moved, it does not open. */
export const seal = (key: Uint8Array, plain: string | Uint8Array, aad: string): string => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
}

/** Opens what `seal` made with the same key and `aad`. @throws Error if anything was altered. */
export const unseal = (key: Uint8Array, sealed: string, aad: string): Uint8Array => {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(aad))
  decipher.setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()])
}
