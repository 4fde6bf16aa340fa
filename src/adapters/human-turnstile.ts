// Cloudflare Turnstile tells people from programs: its widget in the page, its `siteverify` asked by us.
import { z } from 'zod'
import { Failure } from '../errors'
import { keyedHash, sha256 } from '../lib/crypto'
import type { Fetch, HumanCheck } from '../ports'

const siteverify = 'https://challenges.cloudflare.com/turnstile/v0/siteverify'
const [timeoutMs, ttlMs] = [5000, 10 * 60_000]
const action = 'latchkey'

const Verdict = z.object({
  success: z.boolean(),
  hostname: z.string().optional(),
  action: z.string().optional(),
  cdata: z.string().optional(),
})

type Keyring = { current(purpose: 'challenge'): { key: Uint8Array } }
type Options = {
  keyring: Keyring
  fetch: Fetch
  siteKey: string
  secret: string
  /** Hosts whose pages may show the widget. */
  hostnames: ReadonlySet<string>
}

/** What a token is good for travels as the widget's `cData`, which `siteverify` gives back. */
export const createTurnstile = ({ keyring, fetch, siteKey, secret, hostnames }: Options): HumanCheck => {
  const cdataFor = (use: string) => keyedHash(keyring.current('challenge').key, 'turnstile', use)

  const verdictOn = async (response: string) => {
    try {
      const answer = await fetch(siteverify, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ secret, response }),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      return Verdict.parse(await answer.json())
    } catch {
      throw new Failure('unavailable', 'Nobody could be asked whether a person is asking; try again')
    }
  }

  return {
    ask: async (use) => ({ kind: 'turnstile', site_key: siteKey, action, cdata: cdataFor(use) }),
    judge: async (answer, use, now) => {
      if (!/^[\w.-]{1,2048}$/.test(answer)) return null
      const verdict = await verdictOn(answer)
      const isOurs = verdict.action === action && hostnames.has(verdict.hostname ?? '')
      if (!verdict.success || !isOurs || verdict.cdata !== cdataFor(use)) return null
      return { id: sha256(answer), expiresAt: now + ttlMs }
    },
  }
}
