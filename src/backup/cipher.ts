// Encrypts a stream to an X25519 public key: an ephemeral key, HKDF-SHA-256, and AES-256-GCM by chunks of 64 KiB.
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { randomBytes } from '../lib/crypto'

export const chunkBytes = 64 * 1024
export const tagBytes = 16
export const keyBytes = 32

// The fixed beginnings of every PKCS #8 private and SPKI public X25519 key (RFC 8410).
const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const spki = Buffer.from('302a300506032b656e032100', 'hex')

const privateOf = (raw: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([pkcs8, raw]), format: 'der', type: 'pkcs8' })
const publicOf = (raw: Uint8Array) => createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' })
const rawPublic = (key: KeyObject): Uint8Array =>
  createPublicKey(key as never)
    .export({ format: 'der', type: 'spki' })
    .subarray(spki.length)

const streamKey = (privateKey: KeyObject, publicKey: KeyObject, ephemeral: Uint8Array, recipient: Uint8Array) => {
  const shared = diffieHellman({ privateKey, publicKey })
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([ephemeral, recipient]), 'latchkey-backup 1', 32))
}

// The key serves one stream, so a counter is a fresh nonce; its last byte tells the last chunk from the others, so that
// a stream that was cut between two of them does not open.
const nonceOf = (counter: number, isLast: boolean) => {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(counter, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/** `recipient`: 32 bytes, public. `ephemeral` goes before the chunks; `seal` takes them in order, 64 KiB each but the last. */
export const createSealer = (recipient: Uint8Array) => {
  const own = privateOf(randomBytes(keyBytes))
  const ephemeral = rawPublic(own)
  const key = streamKey(own, publicOf(recipient), ephemeral, recipient)
  let counter = 0
  return {
    ephemeral,
    seal: (chunk: Uint8Array, isLast: boolean): Uint8Array => {
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter++, isLast))
      return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
    },
  }
}

/** Opens the chunks of `createSealer` in order. `identity`: 32 bytes, private. @throws Error for any that was altered. */
export const createOpener = (identity: Uint8Array, ephemeral: Uint8Array) => {
  const own = privateOf(identity)
  const key = streamKey(own, publicOf(ephemeral), ephemeral, rawPublic(own))
  let counter = 0
  return (sealed: Uint8Array, isLast: boolean): Uint8Array => {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter++, isLast))
    decipher.setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()])
  }
}
