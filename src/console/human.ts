// The work that `human_required` asks for, done by the page: ALTCHA (v2), PBKDF2 until a key begins as told.
import type { Answer } from './send'

type Parameters = { nonce: string; salt: string; cost: number; keyLength: number; keyPrefix: string }
type Altcha = { kind: 'altcha'; challenge: { parameters: Parameters; signature: string } }

// As many tries at once as keep the browser's threads busy; each is a millisecond or two.
const width = 16

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const derive = async ({ nonce, salt, cost, keyLength }: Parameters, counter: number): Promise<string> => {
  const password = new Uint8Array([...bytesOf(nonce), 0, 0, 0, 0])
  new DataView(password.buffer).setUint32(password.length - 4, counter)
  const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
  const options = { name: 'PBKDF2', hash: 'SHA-256', salt: bytesOf(salt), iterations: cost }
  return hexOf(new Uint8Array(await crypto.subtle.deriveBits(options, key, keyLength * 8)))
}

const isAltcha = (human: unknown): human is Altcha => (human as Altcha | undefined)?.kind === 'altcha'

// A try finds it once in 16 for each digit of the prefix.
const likelyTries = ({ keyPrefix }: Parameters) => 16 ** keyPrefix.length

/** The answer to `human` of a `human_required`; null for a challenge of another kind. */
const solve = async (human: unknown, working: (part: number) => void): Promise<string | null> => {
  // Browsers keep their crypto from pages over plain HTTP.
  if (!isAltcha(human) || !crypto.subtle) return null
  const { challenge } = human
  const { parameters } = challenge
  for (let from = 0; ; from += width) {
    working(1 - Math.exp(-from / likelyTries(parameters)))
    const keys = await Promise.all(Array.from({ length: width }, (_, i) => derive(parameters, from + i)))
    const found = keys.findIndex((key) => key.startsWith(parameters.keyPrefix))
    if (found < 0) continue
    return btoa(JSON.stringify({ challenge, solution: { counter: from + found, derivedKey: keys[found] } }))
  }
}

/**
 * Makes a call, and makes it again with the work done where it asks for a person. `working` is told how likely it was to be
 * done by now (0 to 1), and null when it is.
 */
export const asPerson = async <T>(
  call: (human: string | undefined) => Promise<Answer<T>>,
  working: (part: number | null) => void,
): Promise<Answer<T>> => {
  const answer = await call(undefined)
  if (answer.ok || answer.problem.code !== 'human_required') return answer
  const human = await solve(answer.problem.human, working)
  working(null)
  return human === null ? answer : call(human)
}
