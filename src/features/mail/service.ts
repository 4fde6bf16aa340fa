// The outbox: a mail is written with the change it tells of, and sent until a server has taken it or it has no more use.
import { Failure } from '../../errors'
import { newId } from '../../lib/id'
import type { Clock, Database, Log, Mailer, Statement } from '../../ports'
import type { Unaudited } from '../../write'
import { compose, type Letter } from './model'
import { type Claimed, outboxStore, readClaimed, type Template } from './store'

/** What a mail tells, and whom. */
export type Addressed = Letter & { to: string }
export type Rendering = (mail: Pick<Claimed, 'template' | 'about' | 'createdAt'>) => Promise<Addressed | null>

type Deps = {
  db: Database
  unaudited: Unaudited
  clock: Clock
  log: Log
  mailer: Mailer
  /** The public origin: where links lead. */
  origin: string
  /** What a mail tells, derived now and kept nowhere; `link` from the origin on. Null once it has no more use. */
  render: Rendering
}

/** Longer than a mailer takes, so that nobody else sends meanwhile; how long a crash holds a mail up. */
const leaseMs = 60_000
const batchSize = 20
const lateMs = 60_000
const dayMs = 86_400_000
const why = 'the way of a mail changes nothing but the outbox'

/** 5 s, 15 s, 45 s …, at most 5 min. */
const backoffMs = (attempts: number) => Math.min(5_000 * 3 ** (attempts - 1), 300_000)

/** Of other errors only the kind: what they say may quote an address. */
const reasonOf = (error: unknown) =>
  error instanceof Failure ? (error.detail ?? error.code) : error instanceof Error ? error.name : typeof error

export const mailService = ({ db, unaudited, clock, log, mailer, origin, render }: Deps) => {
  const store = outboxStore(db)
  const { host, hostname } = new URL(origin)

  /** Whether the mail has gone out; false when it has no more use. @throws whatever kept it */
  const send = async ({ id, ...row }: Claimed): Promise<boolean> => {
    const rendered = await render(row)
    if (!rendered) return false
    const { to, ...letter } = rendered
    const link = letter.link && `${origin}/${letter.link}`
    const mail = compose(row.template, { ...letter, link }, { host, wanted: row.locale })
    await mailer.send({ ...mail, to, messageId: `<${id}@${hostname}>` })
    return true
  }

  const deliver = async (row: Claimed): Promise<void> => {
    try {
      const sent = await send(row)
      const now = clock.now()
      await unaudited(why, [store.end(row.id, sent ? { sentAt: now } : { failedAt: now })])
      if (!sent) log.info({ mail: row.id, attempts: row.attempts }, 'mail given up: what it is about has ended')
    } catch (error) {
      log.warn({ mail: row.id, attempts: row.attempts, reason: reasonOf(error) }, 'mail not taken: it is sent again')
      await unaudited(why, [store.putOff(row, clock.now() + backoffMs(row.attempts))])
    }
  }

  const claim = async (): Promise<Claimed[]> => {
    const now = clock.now()
    if (!(await store.isDue(now))) return []
    const [claimed] = await unaudited(why, [store.claim(now, now + leaseMs, batchSize)])
    return claimed?.rows.map(readClaimed) ?? []
  }

  return {
    /** A mail about something, for the batch that makes or changes it. */
    enqueue: (template: Template, about: string, locale: string): Statement => {
      const now = clock.now()
      return store.insert({ id: newId('out'), template, about, locale, createdAt: now, dueAt: now })
    },

    /**
     * Sends what is due until nothing is, or until `signal` aborts: then it ends with what is under way. Several nodes may
     * do so at once. A mail that a crash cut off goes again, under the same Message-ID.
     */
    async deliverDue(signal?: AbortSignal): Promise<void> {
      while (!signal?.aborted) {
        const rows = await claim()
        if (rows.length === 0) return
        const results = await Promise.allSettled(rows.map(deliver))
        const failed = results.find((result) => result.status === 'rejected')
        if (failed) throw failed.reason
      }
    },

    /** Resolves if the mail server would take mail, and no mail has waited for a minute. @throws Failure `unavailable` */
    async check(): Promise<void> {
      await mailer.check()
      if (await store.isLate(clock.now() - lateMs)) throw new Failure('unavailable', 'mail is delayed')
    },

    /** Forgets mails that ended a day ago. */
    sweep: () => unaudited('an ended mail is no longer of use', [store.removeEndedBefore(clock.now() - dayMs)]),
  }
}
