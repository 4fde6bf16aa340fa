// A person's browser proves by work that it asks: ALTCHA (v2), PBKDF2 until the key begins as told. No third party sees it.
import { createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { z } from 'zod'
import { keyedHash, sha256 } from '../lib/crypto'
import type { HumanCheck } from '../ports'

const ttlMs = 10 * 60_000
// 256 tries on average of one PBKDF2 each: about a second in a browser, one try for us.
const work = { algorithm: 'PBKDF2/SHA-256', keyPrefix: '00', keyLength: 32 } as const

const hex = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`))
const Answer = z.strictObject({
  challenge: z.strictObject({
    parameters: z.strictObject({
      algorithm: z.literal(work.algorithm),
      keyPrefix: z.literal(work.keyPrefix),
      keyLength: z.literal(work.keyLength),
      nonce: hex(32),
      salt: hex(32),
      cost: z.int().positive(),
      expiresAt: z.int(),
    }),
    signature: hex(64),
  }),
  solution: z.object({ counter: z.int().min(0).max(0xffff_ffff), derivedKey: hex(64) }),
})

const read = (answer: string) => {
  try {
    return Answer.safeParse(JSON.parse(Buffer.from(answer, 'base64').toString())).data
  } catch {
    return undefined
  }
}

type Keyring = { current(purpose: 'challenge'): { key: Uint8Array } }

/** `cost`: rounds of one try. What an answer is good for is part of the key that signs the challenge. */
export const createAltcha = ({ keyring, cost = 5000 }: { keyring: Keyring; cost?: number }): HumanCheck => {
  const secretFor = (use: string) => keyedHash(keyring.current('challenge').key, 'altcha', use)

  return {
    ask: async (use, now) => {
      const expiresAt = Math.floor((now + ttlMs) / 1000)
      const options = { ...work, cost, expiresAt, deriveKey, hmacSignatureSecret: secretFor(use) }
      return { kind: 'altcha', challenge: await createChallenge(options) }
    },
    judge: async (answer, use, now) => {
      const given = read(answer)
      if (!given) return null
      const { challenge, solution } = given
      const expiresAt = challenge.parameters.expiresAt * 1000
      // The library asks the system's clock; ours decides.
      if (expiresAt <= now || challenge.parameters.cost !== cost) return null
      const proof = { challenge, solution, deriveKey, hmacSignatureSecret: secretFor(use) }
      return (await verifySolution(proof)).verified ? { id: sha256(challenge.signature), expiresAt } : null
    },
  }
}
