// What an attacker gets out of guessing, simulated against the real budgets: docs/guessing.md says the same numbers.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type Budget, budgets, type Share } from '../src/features/auth/budgets'
import { createDefence } from '../src/features/auth/defence'
import { createHumans } from '../src/features/auth/human'
import { spend } from '../src/features/auth/store-defence'
import type { HumanCheck, Statement } from '../src/ports'
import { type House, newHouse } from './house'
import { newTestLog } from './support'

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
const codes = 32 ** 8

let house: House
beforeEach(async () => {
  house = await newHouse()
})
afterEach(() => house.close())

/** Lets nobody pass: an attacker who does no work. */
const wall: HumanCheck = { ask: async () => ({}), judge: async () => null }

const newDefence = () =>
  createDefence({
    ...{
      ...house,
      log: newTestLog().log,
      devices: { find: async () => undefined },
      countsMails: true,
      codeFormat: 'letters',
    },
    ...{ account: { findByAddress: async () => undefined }, humans: createHumans(wall, house.clock) },
  })

/** One wrong code at a mailbox, as sign-in takes it; whether it was compared at all. */
const guess = async (defence: ReturnType<typeof newDefence>, mailbox: number): Promise<boolean> => {
  try {
    const asked = { purpose: 'sign-in', mailboxHash: `mailbox-${mailbox}`, deviceId: null, sessionId: null } as const
    const { statements } = await defence.atVerify(asked, undefined)
    const outcomes = await house.unaudited('a guess', statements)
    if (outcomes.at(-1)?.changes !== 1) return false
    await defence.noteFailure()
    return true
  } catch {
    return false
  }
}

/** Tries the shares in batches, their statements made once; gives how many had room. */
const trySpending = async (count: number, sharesOf: (i: number) => readonly [Share, ...Share[]]): Promise<number> => {
  const now = house.clock.now()
  const known = sharesOf(0).map(([{ name }, of]) => `${name}:${of}`)
  const template = spend(sharesOf(0), now)
  const of = (i: number): Statement[] => {
    const own = sharesOf(i).map(([{ name }, who]) => `${name}:${who}`)
    return template.map((s) => ({ ...s, args: s.args.map((arg) => own[known.indexOf(arg as string)] ?? arg) }))
  }
  let taken = 0
  for (let from = 0; from < count; from += 1000) {
    const chunk = Array.from({ length: Math.min(1000, count - from) }, (_, i) => of(from + i))
    const outcomes = await house.db.batch(chunk.flat())
    taken += chunk.filter((_, i) => outcomes[(i + 1) * template.length - 1]!.changes === 1).length
  }
  return taken
}

describe('an attacker who guesses codes for a day', () => {
  test('gets 20 at one mailbox, whatever they do, and 20 again only a day later', async () => {
    const defence = newDefence()
    let compared = 0
    for (let tried = 0; tried < 60; tried++) {
      if (await guess(defence, 0)) compared++
      house.clock.advance(20 * minute)
    }
    expect(compared).toBe(20)
    house.clock.advance(day)
    expect(await guess(defence, 0)).toBe(true)
  })

  test('gets 2,000 at 10,000 mailboxes without work, 50 of them a minute', async () => {
    const defence = newDefence()
    const eachMinute: number[] = []
    for (let at = 0; at < 48; at++) {
      let compared = 0
      // The long middle in one go a minute, as the failures alone would be noted.
      if (at > 0 && at < 38) compared = await trySpending(60, () => [[budgets.failures, 'instance']])
      else while (compared < 60 && (await guess(defence, at * 60 + compared))) compared++
      eachMinute.push(compared)
      house.clock.advance(minute)
    }
    expect(eachMinute).toEqual([...Array(40).fill(50), ...Array(8).fill(0)])
    house.clock.advance(day)
    expect(await guess(defence, 0)).toBe(true)
  })

  test('gets 20 at each of 10,000 mailboxes with a proof of work for each', async () => {
    let compared = 0
    for (let round = 0; round < 21; round++)
      compared += await trySpending(1000, (i) => [[budgets.guesses, `mailbox-${i}`]])
    // Mailboxes share nothing: a tenth of them stands for all.
    expect(compared * 10).toBe(200_000)
  })
})

describe('an attacker who has mail sent', () => {
  test.each([
    [1, 1, 5],
    [100, 1, 5],
    [10_000, 1, 5],
    [1, 10_000, 20],
    [100, 10_000, 2000],
    [10_000, 10_000, 50_000],
  ])('from %d addresses to %d mailboxes gets %d in an hour', async (addresses, mailboxes, most) => {
    // A tenth of the largest, where neither limit is shared between the parts.
    const part = addresses * mailboxes === 1e8 ? 10 : 1
    const [clients, boxes] = [addresses / part, mailboxes / part]
    const tries = Math.max(boxes, Math.min(clients, 30)) * 6
    const sent = await trySpending(boxes === 1 ? 30 : Math.min(tries, 12_000), (i) => [
      [budgets.mailsAskedBy, `client-${i % clients}`],
      [budgets.mailsToMailbox, `mailbox-${i % boxes}`],
    ])
    expect(sent * part).toBe(most)
  })

  test('gets 55 a day to one mailbox: ten, and then one every half hour, which its owner gets too', async () => {
    let sent = 0
    for (let at = 0; at < day; at += minute) {
      sent += await trySpending(1, () => [[budgets.mailsToMailbox, 'mailbox']])
      house.clock.advance(minute)
    }
    expect(sent).toBe(55)
  })
})

test('the table in the docs says what these limits come to', async () => {
  const text = await Bun.file(`${import.meta.dir}/../docs/guessing.md`).text()
  const most = ({ limits }: Budget, withinMs: number) => limits.find((l) => l.withinMs === withinMs)!.most
  const [perMailbox, perInstance] = [most(budgets.guesses, day), most(budgets.failures, day)]
  const row = (mailboxes: number, guesses: number) =>
    `| ${mailboxes.toLocaleString('en')} | ${guesses.toLocaleString('en')} | ${((guesses * 365) / codes).toExponential(1)} |`
  expect(text).toContain(row(1, perMailbox))
  expect(text).toContain(row(10_000, perInstance))
  expect(text).toContain(row(10_000, perMailbox * 10_000))
  expect(text).toContain(`${most(budgets.mailsAskedBy, hour)} mails an hour`)
})
