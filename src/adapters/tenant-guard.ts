// Isolation without row-level security: a statement that touches a tenant table must bind its workspace_id.
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import * as schema from '../../db/schema'
import { countParameters, isSign, isWord, nameOf, parseSql, splitAt, type Token } from '../lib/sql'

const column = 'workspace_id'
const tables = Object.values(schema)
  .filter((table) => is(table, SQLiteTable))
  .map((table) => getTableConfig(table))
/** Every table whose primary key begins with `workspace_id` and goes on. */
const tenantTables = new Set(tables.filter((t) => t.primaryKeys[0]?.columns[0]?.name === column).map((t) => t.name))
const withColumn = new Set(tables.filter((t) => t.columns.some((c) => c.name === column)).map((t) => t.name))
const knownTables = new Set([...tables.map((t) => t.name), 'json_each'])

/** A table in a FROM list under the name it goes by there. `bound`: its rows are of one workspace, named by a parameter. */
type Ref = { table: string; as: string; bound: boolean }
type Scope = { refs: Ref[]; ctes: ReadonlySet<string>; outer: Scope | undefined }
/** Part of a condition that must hold on its own; `only`: it is the ON of a left join, and says nothing of other tables. */
type Condition = { tokens: Token[]; only: Ref | undefined }
type Clauses = Partial<Record<string, Token[]>>

const refuse = (why: string): never => {
  throw new Error(`A statement was refused: ${why}`)
}
const need = <T>(value: T | undefined, why: string): T => (value === undefined ? refuse(why) : value)

const isQuery = (tokens: readonly Token[]) => isWord(tokens[0], 'select', 'values', 'with')
const itemsOf = (token: Token | undefined) => (token?.kind === 'group' ? token.items : undefined)
const isComma = (token: Token) => isSign(token, ',')

/** Cuts a statement into its clauses: each keyword once at most, and in that order. */
const cut = (tokens: readonly Token[], ...keywords: string[]): Clauses => {
  const clauses: Clauses = {}
  let at = -1
  for (const token of tokens) {
    const found = token.kind === 'word' ? keywords.indexOf(token.text) : -1
    if (found < 0) need(clauses[keywords[at] ?? ''], 'it begins oddly').push(token)
    else if (found <= at) refuse('its clauses are out of order')
    else {
      at = found
      clauses[keywords[at]!] = []
    }
  }
  return clauses
}

/** The conditions that all hold where `tokens` holds. An OR or a CASE on this level leaves none that is sure. */
const conjuncts = (tokens: readonly Token[]): Token[][] => {
  if (tokens.some((t) => isWord(t, 'or', 'case'))) return []
  let betweens = 0
  const parts = splitAt(tokens, (t) => {
    if (isWord(t, 'between')) betweens++
    return isWord(t, 'and') && (betweens === 0 || betweens-- === 0)
  })
  return parts.flatMap((part) => {
    const items = part.length === 1 ? itemsOf(part[0]) : undefined
    return items && !isQuery(items) ? conjuncts(items) : [part]
  })
}

/** Whose `workspace_id` this is, if it is one. Without a qualifier only where one table could be meant. */
const ownerOf = (tokens: readonly Token[], scope: Scope): Ref | undefined => {
  if (nameOf(tokens.at(-1)) !== column) return undefined
  if (tokens.length === 1)
    return scope.refs.length === 1 && withColumn.has(scope.refs[0]!.table) ? scope.refs[0] : undefined
  if (tokens.length !== 3 || !isSign(tokens[1], '.')) return undefined
  for (let s: Scope | undefined = scope; s; s = s.outer) {
    const ref = s.refs.find((r) => r.as === nameOf(tokens[0]))
    if (ref) return withColumn.has(ref.table) ? ref : undefined
  }
  return undefined
}

/** Whether an expression is a parameter or the workspace_id of rows that are bound already. */
const isBound = (tokens: readonly Token[], scope: Scope): boolean =>
  tokens.length === 1 && tokens[0]!.kind === 'parameter' ? true : (ownerOf(tokens, scope)?.bound ?? false)

const bind = (scope: Scope, conditions: readonly Condition[]) => {
  const equations = conditions.flatMap(({ tokens, only }) => {
    const sides = splitAt(tokens, (t) => isSign(t, '='))
    return sides.length === 2 ? [[sides[0]!, sides[1]!, only] as const, [sides[1]!, sides[0]!, only] as const] : []
  })
  for (let found = true; found; ) {
    found = false
    for (const [left, right, only] of equations) {
      const ref = ownerOf(left, scope)
      if (!ref || ref.bound || !scope.refs.includes(ref) || (only && only !== ref) || !isBound(right, scope)) continue
      ref.bound = true
      found = true
    }
  }
  for (const { table, bound } of scope.refs)
    if (tenantTables.has(table) && !bound) refuse(`it touches ${table} without binding its ${column}`)
}

const joinWords = [
  'on',
  'join',
  'left',
  'inner',
  'cross',
  'natural',
  'right',
  'full',
  'outer',
  'using',
  'indexed',
  'not',
]

/** Takes one table, function or derived table with its alias off the front of `rest`. */
const takeSource = (rest: Token[], scope: Scope): Ref => {
  const first = rest.shift()
  const derived = itemsOf(first)
  if (derived && !isQuery(derived)) refuse('its joins are not understood')
  if (derived) readQuery(derived, { ...scope, refs: [], outer: scope.outer })
  const table = derived ? '' : need(nameOf(first), 'its joins are not understood')
  if (table && !knownTables.has(table) && !scope.ctes.has(table)) refuse('it names a table that is not known')
  const given = table === 'json_each' ? itemsOf(rest.shift()) : undefined
  if (given) visit(given, scope)
  const said = isWord(rest[0], 'as') && rest.shift()
  const alias = said || !isWord(rest[0], ...joinWords) ? nameOf(rest[0]) : undefined
  if (alias) rest.shift()
  const ref = { table, as: alias ?? table, bound: false }
  if (scope.refs.some((r) => r.as === ref.as)) refuse('two of its tables go by one name')
  scope.refs.push(ref)
  return ref
}

/** Reads a FROM list into `scope`; gives the conditions of its joins, and their text to look into once all is bound. */
const readFrom = (tokens: readonly Token[], scope: Scope) => {
  const rest = [...tokens]
  const conditions: Condition[] = []
  const texts: Token[][] = []
  for (let left = false, more = true; more; ) {
    const ref = takeSource(rest, scope)
    if (isWord(rest[0], 'on')) {
      const length = rest.findIndex((t, i) => i > 0 && (isComma(t) || isWord(t, ...joinWords.slice(0, 9))))
      const on = rest.splice(0, length < 0 ? rest.length : length).slice(1)
      conditions.push(...conjuncts(on).map((c) => ({ tokens: c, only: left ? ref : undefined })))
      texts.push(on)
    }
    const joiner = rest.shift()
    more = joiner !== undefined
    left = isWord(joiner, 'left')
    if (left && isWord(rest[0], 'outer')) rest.shift()
    const wantsJoin = isWord(joiner, 'left', 'inner', 'cross')
    if (wantsJoin ? !isWord(rest.shift(), 'join') : more && !isComma(joiner!) && !isWord(joiner, 'join'))
      refuse('its joins are not understood')
  }
  return { conditions, texts }
}

/** Reads the tables and conditions of one SELECT, UPDATE or DELETE, binds them, then looks into its subqueries. */
const readClauses = (clauses: Clauses, sources: readonly (Token[] | undefined)[], outer: Scope): Scope => {
  const scope: Scope = { refs: [], ctes: outer.ctes, outer }
  const froms = sources.flatMap((s) => (s ? [readFrom(s, scope)] : []))
  const where = conjuncts(clauses.where ?? []).map((tokens) => ({ tokens, only: undefined }))
  bind(scope, [...froms.flatMap((f) => f.conditions), ...where])
  for (const text of froms.flatMap((f) => f.texts)) visit(text, scope)
  for (const clause of Object.values(clauses)) if (clause && !sources.includes(clause)) visit(clause, scope)
  return scope
}

/** Looks for subqueries at any depth. */
const visit = (tokens: readonly Token[], scope: Scope): void => {
  for (const [i, token] of tokens.entries()) {
    const items = itemsOf(token)
    if (isWord(token, 'in') && !itemsOf(tokens[i + 1])) refuse('an IN has no list')
    if (items && isQuery(items)) readQuery(items, scope)
    else if (items) visit(items, scope)
  }
}

/** Reads `WITH … AS (…)`, if there is one; gives the scope that knows its names, and the rest. */
const readWith = (tokens: readonly Token[], outer: Scope): { scope: Scope; body: Token[] } => {
  if (!isWord(tokens[0], 'with')) return { scope: outer, body: [...tokens] }
  const rest = tokens.slice(isWord(tokens[1], 'recursive') ? 2 : 1)
  const names = new Set(outer.ctes)
  const bodies: Token[][] = []
  do {
    const name = need(nameOf(rest.shift()), 'its WITH is not understood')
    if (knownTables.has(name)) refuse('its WITH takes the name of a table')
    names.add(name)
    if (itemsOf(rest[0])) rest.shift()
    if (!isWord(rest.shift(), 'as')) refuse('its WITH is not understood')
    bodies.push(need(itemsOf(rest.shift()), 'its WITH is not understood'))
  } while (isSign(rest[0], ',') && rest.shift())
  const scope = { ...outer, ctes: names }
  for (const body of bodies) readQuery(body, scope)
  return { scope, body: rest }
}

type Core = { list: Token[][]; scope: Scope }

/** Reads a query of one or more SELECTs; gives the result columns of each. */
const readQuery = (tokens: readonly Token[], outer: Scope): Core[] => {
  const { scope, body } = readWith(tokens, outer)
  return splitAt(body, (t) => isWord(t, 'union', 'except', 'intersect')).map((part) => {
    const core = isWord(part[0], 'all') ? part.slice(1) : part
    if (isWord(core[0], 'values')) {
      visit(core, scope)
      return { list: [], scope }
    }
    const clauses = cut(core, 'select', 'from', 'where', 'group', 'having', 'order', 'limit')
    return { list: splitAt(clauses.select ?? [], isComma), scope: readClauses(clauses, [clauses.from], scope) }
  })
}

const refuseMove = (assignments: readonly Token[] = []) => {
  const moves = (part: Token[]) => part[0]?.kind === 'group' || nameOf(part[0]) === column
  if (splitAt(assignments, isComma).some(moves)) refuse(`it changes a ${column}`)
}

const withoutAlias = (tokens: Token[]) => (isWord(tokens.at(-2), 'as') ? tokens.slice(0, -2) : tokens)

const readInsert = (tokens: readonly Token[], scope: Scope) => {
  const table = need(isWord(tokens[1], 'into') ? nameOf(tokens[2]) : undefined, 'its INSERT is not understood')
  if (!knownTables.has(table)) refuse('it names a table that is not known')
  const ends = (t: Token, i: number) => isWord(t, 'returning') || (isWord(t, 'on') && isWord(tokens[i + 1], 'conflict'))
  const end = tokens.findIndex(ends)
  const [head, tail] = end < 0 ? [tokens, []] : [tokens.slice(0, end), tokens.slice(end)]
  const columns = itemsOf(head[3])
  const body = head.slice(columns ? 4 : 3)
  const cores = isQuery(body) ? readQuery(body, scope) : []
  visit(tail, scope)
  if (!tenantTables.has(table)) return

  const place = splitAt(columns ?? [], isComma).findIndex((c) => c.length === 1 && nameOf(c[0]) === column)
  const rows = isWord(body[0], 'values')
    ? splitAt(body.slice(1), isComma).map((row) => ({
        list: splitAt((row.length === 1 && itemsOf(row[0])) || [], isComma),
        scope,
      }))
    : cores
  const isBoundAt = ({ list, scope }: Core) => isBound(withoutAlias(list[place] ?? []), scope)
  if (rows.length === 0 || !rows.every(isBoundAt)) refuse(`it adds to ${table} without binding its ${column}`)
  const conflict = cut(tail, 'on', 'set', 'where', 'returning')
  const target = splitAt(itemsOf(conflict.on?.[1]) ?? [], isComma)
  const isOwn = (c: Token[]) => c.length === 1 || (c.length === 3 && isSign(c[1], '.') && nameOf(c[0]) === table)
  if (conflict.set && !target.some((c) => isOwn(c) && nameOf(c.at(-1)) === column))
    refuse(`its ON CONFLICT may change another workspace's row of ${table}`)
  refuseMove(conflict.set)
}

const readStatement = (tokens: readonly Token[]) => {
  const { scope, body } = readWith(tokens, { refs: [], ctes: new Set(), outer: undefined })
  if (isQuery(body)) return readQuery(body, scope)
  if (isWord(body[0], 'insert')) return readInsert(body, scope)
  const clauses = isWord(body[0], 'update')
    ? cut(body, 'update', 'set', 'from', 'where', 'returning')
    : cut(body, 'delete', 'from', 'where', 'returning')
  const { refs } = readClauses(clauses, [clauses.update, clauses.from], scope)
  if (tenantTables.has(refs[0]?.table ?? '')) refuseMove(clauses.set)
}

export type Findings = {
  parameters: number
  /** Whether it only reads. */
  reads: boolean
  /** Why the tenant guard refuses it, naming at most a table. */
  refusal: string | undefined
}

const verbs = ['select', 'values', 'insert', 'update', 'delete', 'replace']

const refusalOf = (tokens: readonly Token[]) => {
  try {
    readStatement(tokens)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * What a statement is, from its text alone. Conservative: what is not understood is refused.
 * @throws Error for text that no statement of ours has: several statements, comments, anything but a query or a change.
 */
export const inspect = (sql: string): Findings => {
  const tokens = parseSql(sql)
  const verb = tokens.find((t) => isWord(t, ...verbs))
  if (!verb || (verb !== tokens[0] && !isWord(tokens[0], 'with'))) refuse('it is neither a query nor a change')
  return {
    parameters: countParameters(tokens),
    reads: isWord(verb, 'select', 'values'),
    refusal: refusalOf(tokens),
  }
}
