// What asking and guessing may use up: how much, of whom, in what time.

/** At most `most` uses within any `withinMs`, wherever that begins. */
export type Limit = { most: number; withinMs: number }
export type Budget = {
  name: string
  limits: readonly Limit[]
  /** Once it is spent there is still one use in each of these. */
  trickleMs?: number
}
/** A budget, and of whom: ids and keyed hashes, never an address. */
export type Share = readonly [budget: Budget, of: string]

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]

export const budgets = {
  /** Mails to a mailbox, asked for from unknown devices; from each known device. */
  mailsToMailbox: {
    name: 'mails',
    limits: [
      { most: 5, withinMs: hour },
      { most: 10, withinMs: day },
    ],
    trickleMs: 30 * minute,
  },
  /** Mails asked for, sent or not: by a person or a session of theirs, else a known device, else a client's network. */
  mailsAskedBy: { name: 'mails-from', limits: [{ most: 20, withinMs: hour }] },
  /** Codes tried at a mailbox from unknown devices; from each known device. A right one is given back. */
  guesses: { name: 'guesses', limits: [{ most: 20, withinMs: day }] },
  /** Wrong codes over the whole instance. */
  failures: {
    name: 'failures',
    limits: [
      { most: 50, withinMs: minute },
      { most: 2000, withinMs: day },
    ],
  },
  alarms: { name: 'alarms', limits: [{ most: 1, withinMs: hour }] },
} as const satisfies Record<string, Budget>
