// What crosses the wire at sign-in.
import { z } from 'zod'
import { idOf } from '../../lib/id'
import { plainText } from '../../lib/text'
import { locales, User } from '../account/model'
import { Session } from '../sessions/model'

const challengeId = idOf('chl')
/** The answer to the challenge inside a `human_required`. */
const human = z.string().max(4096)
const binding = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

export const StartSignIn = z.strictObject({
  email: z.string().max(1024),
  redirect: z.string().max(2048).optional(),
  locale: z.enum(locales).optional(),
  transport: z.enum(['cookie', 'token']).default('cookie'),
  human: human.optional(),
})
export type StartSignIn = z.infer<typeof StartSignIn>

export const StartedChallenge = z.object({
  challenge_id: z.string(),
  expires_at: z.string(),
  resend_after_seconds: z.number(),
  code_format: z.string(),
  binding: z.string().optional(),
})
export type StartedChallenge = z.infer<typeof StartedChallenge>

export const ResendCode = z.strictObject({ challenge_id: challengeId, binding: binding.optional() })
export type ResendCode = z.infer<typeof ResendCode>

export const StepUp = z.strictObject({})

export const VerifyCode = z.strictObject({
  challenge_id: challengeId,
  code: z.string().max(64),
  binding: binding.optional(),
  label: plainText(80).optional(),
  human: human.optional(),
})
export type VerifyCode = z.infer<typeof VerifyCode>

export const RedeemLink = z.strictObject({ challenge_id: challengeId, secret: z.string().max(128) })
export type RedeemLink = z.infer<typeof RedeemLink>

export const SignedIn = z.object({
  user: User,
  session: Session,
  redirect: z.string().nullable(),
  token: z.string().optional(),
})
export type SignedIn = z.infer<typeof SignedIn>
