// The lines of the table: what was measured round by round, ours beside theirs, and whether it is what was promised.

/** How ours is compared with theirs, and what is promised: `atLeast` or `atMost`, in the unit of the comparison. */
export type Goal = { by: Comparison } & ({ atLeast?: number } | { atMost?: number })
type Comparison = keyof typeof comparisons

type Compare = { unit: string; digits: number; of(ours: number, theirs: number): number }
const comparisons = {
  /** Of rates: ours as a part of theirs. */
  share: { unit: ' %', digits: 1, of: (ours, theirs) => (100 * ours) / theirs },
  times: { unit: ' ×', digits: 1, of: (ours, theirs) => ours / theirs },
  /** Of rates: how many times slower ours is. */
  slower: { unit: ' × slower', digits: 2, of: (ours, theirs) => theirs / ours },
  /** Of rates: what part of theirs is lost. */
  lost: { unit: ' %', digits: 1, of: (ours, theirs) => 100 * (1 - ours / theirs) },
  /** Of durations. */
  added: { unit: ' ms more', digits: 2, of: (ours, theirs) => ours - theirs },
  longer: { unit: ' × longer', digits: 2, of: (ours, theirs) => ours / theirs },
  more: { unit: ' × as much', digits: 2, of: (ours, theirs) => ours / theirs },
  /** Ours alone. */
  ms: { unit: ' ms', digits: 0, of: (ours) => ours },
  megabytes: { unit: ' MB', digits: 0, of: (ours) => ours },
} satisfies Record<string, Compare>

/** Values of the same index were measured in the same round; `theirs` is empty where nothing is beside ours. */
export type Line = { what: string; against: string; unit: string; goal: Goal } & (
  | { ours: readonly number[]; theirs: readonly number[] }
  | { failure: string }
)

export type Summary = { median: number; least: number; most: number }

/** `values` is not empty. */
export const summarize = (values: readonly number[]): Summary => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}

export type Judged = {
  what: string
  against: string
  /** `missed` by its median; `failed` could not be measured; `told` promises nothing. */
  verdict: 'met' | 'missed' | 'failed' | 'told'
  ours: string
  theirs: string
  /** The comparison with its range, or why there is none. */
  result: string
  goal: string
  /** How far the median is beyond the goal, 1 being just there; null without a goal or a measurement. */
  reach: number | null
}

const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: value < 1000 ? 3 : 4 })

export const judge = (line: Line): Judged => {
  const { what, against, unit, goal } = line
  const { unit: resultUnit, digits, of } = comparisons[goal.by] as Compare
  const [atLeast, atMost] = ['atLeast' in goal ? goal.atLeast : undefined, 'atMost' in goal ? goal.atMost : undefined]
  const bound = atLeast ?? atMost
  const promised = bound === undefined ? '' : `${atLeast === undefined ? '≤' : '≥'} ${bound}${resultUnit}`
  const common = { what, against, goal: promised }
  if ('failure' in line)
    return { ...common, verdict: 'failed', ours: '', theirs: '', result: line.failure, reach: null }
  const { median, least, most } = summarize(line.ours.map((value, i) => of(value, line.theirs[i] ?? 0)))
  const shown = (value: number) => value.toFixed(digits)
  const isMet = (atLeast === undefined || median >= atLeast) && (atMost === undefined || median <= atMost)
  const figure = (values: readonly number[]) =>
    values.length === 0 ? '' : `${rounded(summarize(values).median)} ${unit}`
  return {
    ...common,
    verdict: bound === undefined ? 'told' : isMet ? 'met' : 'missed',
    ours: figure(line.ours),
    theirs: figure(line.theirs),
    result: `${shown(median)}${resultUnit} (${shown(least)}–${shown(most)})`,
    reach: bound === undefined ? null : atLeast === undefined ? bound / Math.max(median, bound / 100) : median / bound,
  }
}
