// The one door to a change: a feature's statements and their audit row go to the database as one batch.
import { fillPlaceholders, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { apiKeys, auditEvents, guards, members, sessions, workspaces } from '../db/schema'
import { type ErrorCode, Failure } from './errors'
import { newId } from './lib/id'
import { type Actor, type Origin, type Person, roles, type WorkspaceId } from './permissions'
import type { Clock, Database, Hint, Outcome, Statement, Value } from './ports'
import type { Revocations } from './revocation'

/** drizzle with no connection: it builds statements and can run none. */
export const builder = drizzle.mock()

type Query = { toSQL(): { sql: string; params: unknown[] } }

/** A drizzle query as a statement for `write()`. */
export const statement = (query: Query): Statement => {
  const { sql: text, params } = query.toSQL()
  return { sql: text, args: params as Value[] }
}

/** As `statement` for a query with placeholders, its text made once: what is written often is not built anew each time. */
export const compile = <V extends Record<string, unknown>>(query: Query): ((values: V) => Statement) => {
  const { sql: text, params } = query.toSQL()
  return (values) => ({ sql: text, args: fillPlaceholders(params, values) as Value[] })
}

/** Inserts of whole rows into `table`, compiled; what a row leaves out is its column's default. */
export const inserter = <T extends SQLiteTable>(table: T): ((row: T['$inferInsert']) => Statement) => {
  const columns = Object.entries(getTableColumns(table))
  const blank = Object.fromEntries(columns.map(([name, column]) => [name, column.default ?? null]))
  const row = Object.fromEntries(columns.map(([name]) => [name, sql.placeholder(name)]))
  const insert = compile(builder.insert(table).values(row as T['$inferInsert']))
  return (values) => insert({ ...blank, ...values })
}

const failUnlessChanged = statement(builder.insert(guards).select(sql`select 0 where changes() = 0`))

/** Fails the batch with `code` when the statement just before it changed no row. */
export const guard = (code: ErrorCode, detail?: string): Statement => ({
  ...failUnlessChanged,
  orElse: new Failure(code, detail),
})

const insertUnless = (condition: SQL) => builder.insert(guards).select(sql`select 0 where not (${condition})`)

/** As `guard`, when `condition` does not hold. */
export const demand = (condition: SQL, code: ErrorCode, detail?: string): Statement => ({
  ...statement(insertUnless(condition)),
  orElse: new Failure(code, detail),
})

/** As `demand` for a condition with placeholders, compiled. */
export const demanding = <V extends Record<string, unknown>>(condition: SQL, orElse: Failure) => {
  const insert = compile<V>(insertUnless(condition))
  return (values: V): Statement => ({ ...insert(values), orElse })
}

/** The same insert of one row, done only where the statement just before it changed a row. */
export const ifChanged = (insert: Statement): Statement => {
  const sql = insert.sql.replace(/ values \(([^()]*)\)$/, ' select $1 where changes() > 0')
  if (sql === insert.sql) throw new Error('only an insert of one row can hang on the statement before it')
  return { ...insert, sql }
}

/** Who a change is made by: an actor, a person in no workspace, a stranger, or the program itself. */
export type Author = Actor | Person | Readonly<{ type: 'nobody' | 'system'; origin: Origin | null }>

/** What nobody asked for. */
export const system = { type: 'system', origin: null } as const satisfies Author

export type Event = {
  /** `noun.pasttense`, from the catalogue. */
  action: string
  /** Public ids of what was changed; ids only, so that erasing a person can be kept. */
  targets: readonly string[]
  /** Where it belongs when the author does not say: a workspace's number, or a user's id. */
  workspaceId?: WorkspaceId
  userId?: string
  /** Absent: `done`. */
  outcome?: 'denied'
  /** Redacted difference, at most 4 kB of JSON. Never a secret, an address or free text. */
  change?: Record<string, unknown>
}

const maxChangeBytes = 4096

const placeOf = (author: Author, event: Event) => {
  const workspaceId = event.workspaceId ?? ('workspace' in author ? author.workspace.id : undefined)
  if (workspaceId !== undefined) return { workspaceId, chain: `workspace:${workspaceId}` }
  const userId = event.userId ?? (author.type === 'user' ? author.id : undefined)
  return { workspaceId: 0 as WorkspaceId, chain: userId === undefined ? 'instance' : `user:${userId}` }
}

const insertEvent = inserter(auditEvents)

const auditStatement = (author: Author, event: Event, at: number): Statement => {
  const change = event.change ?? null
  if (change && Buffer.byteLength(JSON.stringify(change)) > maxChangeBytes)
    throw new Error(`audit change too large: ${event.action}`)
  return insertEvent({
    ...placeOf(author, event),
    id: newId('evt'),
    action: event.action,
    actorType: author.type,
    actorId: 'id' in author ? author.id : null,
    targets: [...event.targets],
    outcome: event.outcome ?? 'done',
    requestId: author.origin?.requestId ?? null,
    client: author.origin?.client ?? null,
    change,
    at,
  })
}

const given = sql.placeholder
const ended = new Failure('unauthenticated')
const unless = <V extends Record<string, unknown>>(standing: SQL) =>
  demanding<V>(sql`exists (select 1 from ${standing})`, ended)
const sessionStands = unless<{ id: string; userId: string }>(
  sql`${sessions} where ${sessions.id} = ${given('id')} and ${sessions.userId} = ${given('userId')} and ${sessions.revokedAt} is null`,
)
const open = sql`join ${workspaces} on ${workspaces.workspaceId} = ${given('workspaceId')} and ${workspaces.deletesAt} is null`
const memberStands = roles.map((_role, least) =>
  unless<{ workspaceId: WorkspaceId; userId: string }>(
    sql`${members} ${open} where ${members.workspaceId} = ${given('workspaceId')} and ${members.userId} = ${given('userId')} and ${members.role} in ${roles.slice(least)}`,
  ),
)
const keyStands = unless<{ workspaceId: WorkspaceId; id: string; now: number }>(
  sql`${apiKeys} ${open} where ${apiKeys.workspaceId} = ${given('workspaceId')} and ${apiKeys.id} = ${given('id')} and ${apiKeys.revokedAt} is null and ${apiKeys.suspendedAt} is null and ifnull(${apiKeys.expiresAt} > ${given('now')}, 1)`,
)

/**
 * Fails the batch with `ended` unless what let a request in still stands, the role or a higher one: what was judged here may
 * have been taken away since, or elsewhere and not be known here yet.
 */
const standing = (author: Author, now: number): Statement[] => {
  if (!author.origin?.judgeAnew) return []
  const found: Statement[] = []
  const person = 'workspace' in author ? author.person : author.type === 'user' ? author : null
  if (person) found.push(sessionStands({ id: person.sessionId, userId: person.id }))
  if ('workspace' in author) {
    const [{ type, id }, workspaceId] = [author, author.workspace.id]
    const asMember = memberStands[roles.indexOf(author.role ?? 'viewer')]!
    found.push(type === 'key' ? keyStands({ workspaceId, id, now }) : asMember({ workspaceId, userId: id }))
  }
  return found
}

type Deps = {
  db: Database
  clock: Clock
  revocations: Pick<Revocations, 'apply'>
  hint?: Hint | undefined
  /** Learns what was taken away elsewhere; absent: there is no elsewhere. */
  hear?: () => Promise<void>
}

/**
 * Builds `write(author, event, statements)`: all statements and their audit row (one for each event), or nothing. Durable once resolved, and
 * what it revoked is refused on this node from then on. Gives the outcome of each statement, in order.
 * @throws the `orElse` of the statement that failed; `conflict`, `unavailable`, `disk_full` from the database; of a request
 * whose author has lost what let it in, what it would be answered now.
 */
export const createWrite = ({ db, clock, revocations, hint, hear = async () => {} }: Deps) => {
  const refusalOf = async (author: Author): Promise<Failure> => {
    await hear().catch(() => {})
    await author.origin?.judgeAnew?.()
    return new Failure('conflict', 'What you may do has changed meanwhile. Send it again.')
  }
  return async (
    author: Author,
    event: Event | readonly Event[],
    statements: readonly Statement[],
  ): Promise<Outcome[]> => {
    const [events, now] = [[event].flat() as Event[], clock.now()]
    // Before the change, so that a request that was sent twice is told by that and not by what the other one made.
    const claims = author.origin?.claim?.(events[0]?.targets[0] ?? '') ?? []
    const before = [...standing(author, now), ...claims]
    const audit = events.map((e) => auditStatement(author, e, now))
    const tell = hint && statements.some((s) => s.revokes) ? hint.tell : undefined
    const all = await db.batch([...before, ...statements, ...audit], tell).catch(async (error: unknown) => {
      throw error === ended ? await refusalOf(author) : error
    })
    const outcomes = all.slice(before.length, before.length + statements.length)
    for (const [i, s] of statements.entries()) if (s.revokes) revocations.apply(outcomes[i]!.rows)
    return outcomes
  }
}

export type Write = ReturnType<typeof createWrite>

/** Builds the door for the rare change that leaves no audit row; each call says why. */
export const createUnaudited =
  (db: Database) =>
  (_why: string, statements: readonly Statement[]): Promise<Outcome[]> =>
    db.batch(statements)

export type Unaudited = ReturnType<typeof createUnaudited>
