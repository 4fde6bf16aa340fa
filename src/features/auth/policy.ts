// Who may sign up, with which addresses, and the bounds of a proof.
import type { Config } from '../../config'

export const signIn = { ttlMs: 15 * 60_000, maxAttempts: 5, maxSends: 3, resendAfterMs: 30_000 }
/** `startFloorMs`: every `start` takes at least this long, so that its time says nothing. */
export type SignInPolicy = typeof signIn & { startFloorMs: number }

const isOfDomain = (exact: string, domains: readonly string[]) =>
  domains.includes(exact.slice(exact.lastIndexOf('@') + 1))

export const createSignUpPolicy = (
  { signUp, operators }: Pick<Config, 'signUp' | 'operators'>,
  isInvited: (exact: string) => Promise<boolean>,
) => {
  /** Whether an account may be of that address. */
  const mayHold = (exact: string): boolean => signUp.kind !== 'domains' || isOfDomain(exact, signUp.domains)
  return {
    mayHold,
    /** Whether its owner may make an account now. */
    async maySignUp(exact: string): Promise<boolean> {
      // Somebody has to be the first, whatever the policy.
      if (operators.includes(exact)) return true
      return signUp.kind === 'invite' ? isInvited(exact) : signUp.kind !== 'closed' && mayHold(exact)
    },
  }
}
