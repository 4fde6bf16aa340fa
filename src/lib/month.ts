// Calendar months in UTC.

/** The month of an instant (ms): its name, `2030-01`, and the instant it ends at. */
export const monthOf = (now: number): { name: string; endsAt: number } => {
  const at = new Date(now)
  return { name: at.toISOString().slice(0, 7), endsAt: Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1) }
}
