// What every database adapter shares: statements are inspected before they leave, and drizzle reads over what it is given.
import { drizzle } from 'drizzle-orm/libsql'
import { Failure } from '../errors'
import { createLru } from '../lib/lru'
import type { Copy, Database, Orm, Outcome, Sharing, Statement, Value } from '../ports'
import { type Findings, inspect } from './tenant-guard'

/** One way to a database, after inspection. Fails as `databaseError` says. */
export type Link = {
  /** One reading statement; rows as arrays, in the order of its columns. */
  read(sql: string, args: readonly Value[]): Promise<Value[][]>
  /** All statements as one transaction that takes the write lock at once, even for none. */
  batch(statements: readonly Statement[], whenMade?: () => void): Promise<Outcome[]>
  /** Whether there is room to write, where that is known beforehand. @throws Failure `disk_full` */
  demandRoom?(): Promise<void>
  close(): Promise<void>
}

const maxKnownTexts = 2048

// Only what comes back as it went in: the driver reads text up to a NUL, rounds large integers and ends the process over a
// boolean; and a kept statement that is given too few values keeps what it was given before.
const isExact = (value: number) => Number.isFinite(value) && Number.isInteger(value) === Number.isSafeInteger(value)
const isValue = (value: unknown) =>
  value === null ||
  typeof value === 'string' ||
  (typeof value === 'number' && isExact(value)) ||
  value instanceof Uint8Array

const checkArgs = (args: readonly unknown[], { parameters }: Findings) => {
  if (args.length !== parameters || !args.every(isValue)) throw new Error('A statement was given the wrong parameters')
  if (args.some((arg) => typeof arg === 'string' && arg.includes('\0')))
    throw new Failure('invalid', 'Text may not hold the character NUL')
}

type Query = { sql: string }
type Session = { prepareQuery(query: Query, ...rest: unknown[]): object }

/** drizzle over `read`; each query is inspected as it is prepared. drizzle's errors quote parameters: ours go past it. */
const createOrm = (admit: (sql: string) => Findings, read: Link['read']): Orm => {
  const orm = drizzle({ client: {} as never })
  const { session } = orm as unknown as { session: Session }
  const prepareQuery = session.prepareQuery.bind(session)
  session.prepareQuery = (query, ...rest) => {
    const findings = admit(query.sql)
    if (!findings.reads) throw new Error('orm only reads: a change goes through batch')
    const execute = async ({ args }: { args: Value[] }) => {
      checkArgs(args, findings)
      return { rows: await read(query.sql, args) }
    }
    const queryWithCache = (_sql: string, _args: unknown, run: () => unknown) => run()
    return Object.assign(prepareQuery(query, ...rest), { client: { execute }, queryWithCache })
  }
  return orm
}

/** How other nodes share it; of a copy, with how the copy itself is read. */
type Shared = Exclude<Sharing, Copy> | (Omit<Copy, 'orm'> & Pick<Link, 'read'>)

/** A Database over `link`, with the tenant guard before it. */
export const createDatabase = (link: Link, shared: Shared): Database => {
  const known = createLru<string, Findings>(maxKnownTexts)
  const findingsOf = (sql: string) => {
    let findings = known.get(sql)
    if (findings === undefined) {
      findings = inspect(sql)
      known.set(sql, findings)
    }
    return findings
  }
  const admit = (sql: string) => {
    const findings = findingsOf(sql)
    if (findings.refusal) throw new Error(findings.refusal)
    return findings
  }
  const orm = createOrm(admit, link.read)
  const free = createOrm(findingsOf, link.read)

  return {
    orm,
    sharing: shared.kind === 'copy' ? { ...shared, orm: createOrm(admit, shared.read) } : shared,
    acrossTenants: (_why, fn) => fn(free),
    batch: async (statements, whenMade) => {
      for (const { sql, args, acrossTenants } of statements) {
        const findings = acrossTenants === undefined ? admit(sql) : findingsOf(sql)
        if (findings.reads) throw new Error('batch only changes: a read goes through orm')
        checkArgs(args, findings)
      }
      return link.batch(statements, whenMade)
    },
    check: async () => {
      await link.demandRoom?.()
      await link.read('select 1', [])
      // A real one: a full disk lets an empty batch pass.
      await link.batch([{ sql: "update meta set value = value where name = 'instance_id'", args: [] }])
    },
    close: link.close,
  }
}
