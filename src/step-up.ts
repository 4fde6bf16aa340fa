// The fresh sign-in that the gravest changes ask for.
import { Failure } from './errors'
import type { Person } from './permissions'

const freshMs = 10 * 60_000

/** Whether the person proved their mailbox in this session at most 10 minutes ago. */
export const isFresh = (person: Person, now: number): boolean => now - person.authAt <= freshMs

/**
 * Holds when the person proved their mailbox in this session at most 10 minutes ago.
 * @throws Failure `step_up_required`; `forbidden` for a key, which is nobody who could prove one.
 */
export const assertFresh = (person: Person | null, now: number): void => {
  if (!person) throw new Failure('forbidden', 'Only a signed-in person may do this')
  if (!isFresh(person, now)) throw new Failure('step_up_required')
}
