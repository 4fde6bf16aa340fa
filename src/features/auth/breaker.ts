// The breaker over all guessing: past so many wrong codes on the whole instance, typing one takes a person.
import { isFailure } from '../../errors'
import type { Clock, Database, Log } from '../../ports'
import { guard, system, type Unaudited, type Write } from '../../write'
import { budgets, type Share } from './budgets'
import { createBudgetReader, spend } from './store-defence'

type Deps = { db: Database; write: Write; unaudited: Unaudited; clock: Clock; log: Log }

const failures: Share = [budgets.failures, 'instance']
const alarms: Share = [budgets.alarms, 'guess-breaker']

export const createBreaker = ({ db, write, unaudited, clock, log }: Deps) => {
  const hasRoom = createBudgetReader(db)

  /** Tells the operator, at most once an hour. */
  const alert = async () => {
    const event = { action: 'guess_breaker.opened', targets: [] }
    try {
      await write(system, event, [...spend([alarms], clock.now()), guard('conflict')])
    } catch (error) {
      if (isFailure(error, 'conflict')) return
      throw error
    }
    log.error({ event: 'guess_breaker.opened' }, 'many wrong codes: somebody may be guessing')
  }

  const isOpen = async () => !(await hasRoom(failures, clock.now()))

  return {
    isOpen,
    /** Notes a wrong code. Whoever uses up the last room raises the alarm. */
    async noteFailure(): Promise<void> {
      await unaudited('a wrong code is counted whatever comes of it', spend([failures], clock.now()))
      if (await isOpen()) await alert()
    },
  }
}
export type Breaker = ReturnType<typeof createBreaker>
