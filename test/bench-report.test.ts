// What the benchmark makes of its measurements: judged lines, a table, a picture; and that one failure stays one.
import { describe, expect, test } from 'bun:test'
import { judge, type Line, summarize } from './bench/lines'
import { pictureOf } from './bench/picture'
import { type Lane, runRaces } from './bench/race'
import { markdownOf, putBetweenMarks } from './bench/table'

const line = (goal: Line['goal'], ours: number[], theirs: number[]): Line => ({
  ...{ what: 'a <read>', against: 'them | others', unit: 'req/s' },
  ...{ goal, ours, theirs },
})
const always =
  (...values: number[]): Lane =>
  async () => {
    let i = 0
    return async () => values[i++ % values.length]!
  }

describe('a line', () => {
  test('is judged by the median of what each round gave, not by the ratio of medians', () => {
    // Medians are 20 and 100; round by round it is 100, 10 and 20 %.
    const { result, verdict } = judge(line({ by: 'share', atLeast: 20 }, [100, 10, 20], [100, 100, 100]))
    expect(result).toBe('20.0 % (10.0–100.0)')
    expect(verdict).toBe('met')
    expect(judge(line({ by: 'times', atLeast: 2 }, [10, 90], [10, 30])).result).toBe('2.0 × (1.0–3.0)')
  })

  test('misses by just a little, both ways', () => {
    expect(judge(line({ by: 'times', atLeast: 20 }, [19.99], [1])).verdict).toBe('missed')
    expect(judge(line({ by: 'slower', atMost: 1.3 }, [100], [131])).verdict).toBe('missed')
    expect(judge(line({ by: 'slower', atMost: 1.3 }, [100], [130])).verdict).toBe('met')
    expect(judge(line({ by: 'added', atMost: 1 }, [1.5], [0.4])).verdict).toBe('missed')
  })

  test('that promises nothing is told, and one alone needs no other', () => {
    expect(judge(line({ by: 'lost' }, [75], [100]))).toMatchObject({ verdict: 'told', goal: '', reach: null })
    const alone = judge(line({ by: 'megabytes', atMost: 120 }, [60], []))
    expect(alone).toMatchObject({ verdict: 'met', theirs: '', goal: '≤ 120 MB', reach: 2 })
  })

  test('says the middle of an even number of values', () =>
    expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 }))
})

describe('contestants', () => {
  const goal = { by: 'times', atLeast: 1 } as const

  test('are measured round by round, and what opened once serves all its lines', async () => {
    let opened = 0
    const ours: Lane = () => {
      opened++
      return always(0, 6, 8)()
    }
    const against = [
      { name: 'a', lane: always(2), goal },
      { name: 'b', lane: always(4), goal },
    ]
    const lines = await runRaces([{ what: 'x', unit: '', ours, against }], { rounds: 2, seconds: 1 })
    expect(lines).toMatchObject([
      { against: 'a', ours: [6, 8], theirs: [2, 2] },
      { against: 'b', ours: [6, 8], theirs: [4, 4] },
    ])
    expect(opened).toBe(1)
  })

  test('that fail, at once or later, take nobody with them', async () => {
    let asked = 0
    const late: Lane = async () => async () => {
      if (asked++ > 1) throw new Error('it broke')
      return 1
    }
    const against = [
      { name: 'absent', lane: () => Promise.reject(new Error('not to be had')), goal },
      { name: 'late', lane: late, goal },
      { name: 'well', lane: always(1), goal },
    ]
    const lines = await runRaces([{ what: 'x', unit: '', ours: always(3), against }], { rounds: 3, seconds: 1 })
    expect(lines).toMatchObject([{ failure: 'not to be had' }, { failure: 'it broke' }, { ours: [3, 3, 3] }])
    expect(lines.map((it) => judge(it).verdict)).toEqual(['failed', 'failed', 'met'])
  })
})

describe('the report', () => {
  const failed: Line = { ...line({ by: 'share', atLeast: 60 }, [1], [1]), failure: 'said\nover | two lines' } as Line
  const judged = [
    judge(line({ by: 'share', atLeast: 60 }, [50], [100])),
    judge(line({ by: 'times', atLeast: 2 }, [900], [100])),
    judge(failed),
  ]

  test('is a table of one row each, whatever is in a cell', () => {
    const rows = markdownOf('here', judged).trim().split('\n').slice(2)
    expect(rows.map((row) => row.replaceAll('\\|', '').split('|').length)).toEqual(Array(5).fill(8))
    expect(rows[2]).toContain('| 50.0 % (50.0–50.0) | ≥ 60 %, missed |')
    expect(rows[4]).toContain('≥ 60 %, failed')
  })

  test('is written between its marks and nowhere else', () => {
    const text = 'before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n'
    expect(putBetweenMarks(text, 'new\n')).toBe('before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n')
    expect(() => putBetweenMarks('no marks', 'new')).toThrow('There is no')
  })

  test('is a picture: well-formed, a bar for each that was measured, none beyond twice its goal', () => {
    const picture = pictureOf('a & b', judged)
    const bars = [...picture.matchAll(/<rect class="(\w+)" x="\d+" y="\d+" width="(\d+)"/g)]
    expect(bars.map(([, verdict, width]) => [verdict, Number(width)])).toEqual([
      ['missed', 138],
      ['met', 330],
    ])
    expect(picture).toContain('a &lt;read>')
    expect(picture).toContain('a &amp; b')
    expect(picture).toContain('prefers-color-scheme:dark')
  })
})
