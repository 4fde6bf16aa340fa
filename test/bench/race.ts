// Contestants measured in turn, round by round: what the machine does to one it does to all.
import type { Goal, Line } from './lines'

/** Opening it gives what measures it for that many seconds. */
export type Lane = () => Promise<(seconds: number) => Promise<number>>
export type Race = {
  what: string
  /** Of what a measurement gives. */
  unit: string
  ours: Lane
  against: readonly { name: string; lane: Lane; goal: Goal }[]
}
export type Effort = { rounds: number; seconds: number }

type Run = { measure?: (seconds: number) => Promise<number>; values: number[]; failure?: string }

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 500)
const attempt = async (run: Run, work: () => Promise<void>) => {
  if (run.failure !== undefined) return
  try {
    await work()
  } catch (error) {
    run.failure = reasonOf(error)
  }
}

/** Measures all lanes in each round, back and forth. One that fails is left out, and said so in its lines. */
export const runRaces = async (races: readonly Race[], { rounds, seconds }: Effort): Promise<Line[]> => {
  const runs = new Map<Lane, Run>()
  for (const { ours, against } of races)
    for (const lane of [ours, ...against.map((it) => it.lane)]) runs.set(lane, { values: [] })
  for (const [lane, run] of runs)
    await attempt(run, async () => {
      run.measure = await lane()
      await run.measure(Math.min(seconds, 2))
    })
  for (let round = 0; round < rounds; round++)
    for (const run of round % 2 ? [...runs.values()].reverse() : runs.values())
      await attempt(run, async () => void run.values.push(await run.measure!(seconds)))
  return races.flatMap(({ what, unit, ours, against }) =>
    against.map(({ name, lane, goal }) => {
      const [mine, other] = [runs.get(ours)!, runs.get(lane)!]
      const failure = mine.failure ?? other.failure
      const common = { what, against: name, unit, goal }
      return failure === undefined ? { ...common, ours: mine.values, theirs: other.values } : { ...common, failure }
    }),
  )
}
