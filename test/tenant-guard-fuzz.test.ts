// Random statements over two workspaces: whatever the tenant guard lets through shows rows of one alone.
import { expect, test } from 'bun:test'
import Libsql from 'libsql'
import { inspect } from '../src/adapters/tenant-guard'
import { newTestDatabase } from './template'

const statements = 6000

/** A small repeatable generator (mulberry32): a failure can be run again. */
const newRandom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = newRandom(20260101)
const pick = <T>(options: readonly T[]): T => options[Math.floor(random() * options.length)]!

const atoms = [
  ...['m.workspace_id = ?', '? = m.workspace_id', 'p.workspace_id = ?', 'workspace_id = ?', 'm.workspace_id in (?)'],
  ...['p.workspace_id = m.workspace_id', 'm.workspace_id = p.workspace_id', 'm.workspace_id = m.workspace_id'],
  ...['m.user_id = p.id', 'm.role is not null', 'p.id is null', '1', '0', 'null', '?'],
]
const condition = (depth: number): string => {
  if (depth === 0) return pick(atoms)
  const c = () => condition(depth - 1 - Math.floor(random() * depth))
  return pick([
    () => pick(atoms),
    () => `${c()} and ${c()}`,
    () => `${c()} and ${c()}`,
    () => `(${c()})`,
    () => `(${c()} and ${c()})`,
    () => `(${c()} or ${c()})`,
    () => `${c()} or ${c()}`,
    () => `not ${c()}`,
    () => `1 between ${c()} and ${c()}`,
    () => `case when ${c()} then ${c()} else ${c()} end`,
    () => `case ${c()} when 1 then ${c()} when ${c()} and ${c()} and 1 then 1 end`,
    () => `iif(${c()}, ${c()}, ${c()})`,
    () => `(${c()}) is ${c()}`,
    () => `(${c()}) = 1`,
    () => `exists (select 1 from projects p where ${c()})`,
    () => `m.user_id in (select q.user_id from members q where ${c()})`,
  ])()
}
const safe = () => pick(['m.workspace_id = ?', '(m.workspace_id = ? and 1)', 'p.workspace_id = ?'])
const where = () => (random() < 0.5 ? `${safe()} and ${condition(2)}` : condition(3))
const source = () =>
  pick([
    () => 'members m',
    () => 'members m, projects p',
    () => `members m join projects p on ${condition(1)}`,
    () => `members m left join projects p on ${condition(1)}`,
    () => `members m left join projects p on p.workspace_id = m.workspace_id and ${condition(1)}`,
    () => `projects p left join members m on ${condition(1)}`,
    () => `(select * from members where ${condition(1).replaceAll(/[mp]\./g, '')}) m`,
  ])()
const select = () =>
  `select ${pick(['m.user_id', 'p.name', '(select max(x.name) from projects x where x.workspace_id = m.workspace_id)'])} from ${source()} where ${where()}`
const statement = () => (random() < 0.15 ? `${select()} union ${select()}` : select())

const permits = (sql: string) => {
  try {
    return inspect(sql).refusal === undefined
  } catch {
    return false
  }
}

test('no statement that the guard lets through shows a row of another workspace', async () => {
  const { db, path, close } = await newTestDatabase()
  await db.batch(
    [1, 2].flatMap((n) => {
      const word = n === 1 ? 'mine' : 'theirs'
      return [
        { sql: 'insert into users values (?, ?, ?, ?, ?, ?)', args: [word, word, '', null, 'en', 0] },
        {
          sql: 'insert into workspaces (workspace_id, id, name, created_by, created_at) values (?, ?, ?, ?, ?)',
          args: [n, word, word, word, 0],
        },
        {
          sql: 'insert into members (workspace_id, user_id, role, created_at) values (?, ?, ?, ?)',
          args: [n, word, 'admin', 0],
        },
        {
          sql: 'insert into projects (workspace_id, id, slug, name, created_at) values (?, ?, ?, ?, ?)',
          args: [n, word, word, word, 0],
        },
      ]
    }),
  )
  const connection = new Libsql(path)
  const seen = { permitted: 0, mine: 0 }
  for (let i = 0; i < statements; i++) {
    const sql = statement()
    if (!permits(sql)) continue
    let rows: unknown
    try {
      rows = connection
        .prepare(sql)
        .raw(true)
        .all(Array(sql.split('?').length - 1).fill(1))
    } catch {
      continue // not every random text is a statement
    }
    seen.permitted++
    const shown = JSON.stringify(rows)
    if (shown.includes('mine')) seen.mine++
    expect({ sql, shown }).toEqual({ sql, shown: shown.replaceAll('theirs', '—') })
  }
  connection.close()
  await close()
  expect(seen.permitted).toBeGreaterThan(200)
  expect(seen.mine).toBeGreaterThan(100)
})
