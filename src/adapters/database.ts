// What every database adapter shares: statements are inspected before they leave, and drizzle reads over what it is given.
import { drizzle } from 'drizzle-orm/libsql'
import { createLru } from '../lib/lru'
import type { Database, Orm, Outcome, Statement, Value } from '../ports'
import { inspect } from './tenant-guard'

/** One way to a database, after inspection. Fails as `databaseError` says. */
export type Link = {
  /** One reading statement; rows as arrays, in the order of its columns. */
  read(sql: string, args: readonly Value[]): Promise<Value[][]>
  /** All statements as one transaction that takes the write lock at once, even for none. */
  batch(statements: readonly Statement[]): Promise<Outcome[]>
  close(): Promise<void>
}

const maxKnownTexts = 2048

const isValue = (value: unknown) =>
  value === null || typeof value === 'string' || value instanceof Uint8Array || Number.isFinite(value)

/** drizzle over `read`. Its own errors quote bound parameters: it is kept from wrapping ours. */
const createOrm = (read: (sql: string, args: Value[]) => Promise<Value[][]>): Orm => {
  const execute = async ({ sql, args }: { sql: string; args: Value[] }) => ({ rows: await read(sql, args) })
  const orm = drizzle({ client: { execute } as never })
  const session = (orm as unknown as { session: { prepareQuery(...args: unknown[]): object } }).session
  const prepareQuery = session.prepareQuery.bind(session)
  session.prepareQuery = (...args) =>
    Object.assign(prepareQuery(...args), {
      queryWithCache: (_sql: string, _args: unknown, run: () => unknown) => run(),
    })
  return orm
}

/** A Database over `link`, with the tenant guard before it. */
export const createDatabase = (link: Link): Database => {
  const known = createLru<string, ReturnType<typeof inspect>>(maxKnownTexts)

  const admit = (sql: string, args: readonly Value[], exempt: boolean) => {
    let findings = known.get(sql)
    if (findings === undefined) {
      findings = inspect(sql)
      known.set(sql, findings)
    }
    if (findings.refusal && !(exempt && findings.tenantOnly)) throw new Error(findings.refusal)
    // A kept statement that is given too few keeps what it was given before, and the driver aborts on odd types.
    if (args.length !== findings.parameters || !args.every(isValue)) throw new Error('Wrong parameters for a statement')
    return findings
  }

  const reader = (exempt: boolean) =>
    createOrm(async (sql, args) => {
      if (!admit(sql, args, exempt).reads) throw new Error('Only reads go through orm: writes go through batch')
      return link.read(sql, args)
    })
  const [orm, free] = [reader(false), reader(true)]

  return {
    orm,
    acrossTenants: (_why, fn) => fn(free),
    batch: async (statements) => {
      for (const s of statements) admit(s.sql, s.args, s.acrossTenants !== undefined)
      return link.batch(statements)
    },
    check: async () => {
      await link.read('select 1', [])
      await link.batch([])
    },
    close: link.close,
  }
}
